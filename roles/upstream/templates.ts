import { template } from 'provision-ts'

/** The data of haproxy.cfg. */
export interface UpstreamConf {
  readonly name: string
  readonly port: number
  readonly servers: readonly { readonly name: string; readonly at: string }[]
  readonly path: string
  readonly answerWithin: number
  readonly websockets: boolean
  readonly streams: readonly string[]
  readonly maxConnections: number
  readonly revision: string
}

export const haproxyCfg = template<UpstreamConf>(import.meta, 'haproxy.cfg.ejs')
