import { template } from 'provision-ts'

/** The data of the unit. */
export interface UnitConf {
  readonly program: string
  readonly config: string
  readonly tls: string
}

const main = template<object>(import.meta, 'main.py.ejs')
const decision = template<object>(import.meta, 'decision.py.ejs')
const etcd = template<object>(import.meta, 'etcd.py.ejs')

/** The files of the program, by name. */
export function programFiles(): Readonly<Record<string, string>> {
  return { 'main.py': main({}), 'decision.py': decision({}), 'etcd.py': etcd({}) }
}

export const unitConf = template<UnitConf>(import.meta, 'unit.service.ejs')
