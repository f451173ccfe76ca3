import { file, role, template } from 'provision-ts'

export interface SampleParams {
  /** What it is for, and its unit. */
  readonly port: number
  /** @default 'info' */
  readonly level?: 'debug' | 'info' | 'error'
}

export interface SampleConf {
  readonly port: number
  readonly level: string
}

const conf = template<SampleConf>(import.meta, 'sample.conf.ejs')

/** What a host has when it has this role. */
export const sample = role('sample', ({ port, level = 'info' }: SampleParams) => [
  file('/etc/sample.conf', conf({ port, level })),
  // Often with it: pkg('sample'), service('sample'), and { notify: reloaded('sample') } as the file's third argument.
])
