import { file, role, template } from 'provision-ts'

export interface SampleParams {
  /** The purpose and the unit of the parameter. */
  readonly port: number
  /** @default 'info' */
  readonly level?: 'debug' | 'info' | 'error'
}

export interface SampleConf {
  readonly port: number
  readonly level: string
}

const conf = template<SampleConf>(import.meta, 'sample.conf.ejs')

/** The state of a host with this role. */
export const sample = role('sample', ({ port, level = 'info' }: SampleParams) => [
  file('/etc/sample.conf', conf({ port, level })),
  // Often with it: pkg('sample'), service('sample'), and { notify: reloaded('sample') } as the file's third argument.
])
