import { template } from 'provision-ts'

export interface Tls {
  readonly certificate: string
  readonly key: string
  readonly trusted: string
}

export interface EtcdConf {
  readonly name: string
  readonly client: string
  readonly peer: string
  readonly tls: Tls
  readonly heartbeat: number
  readonly election: number
}

export interface ControlConf {
  readonly endpoints: readonly string[]
  readonly tls: Tls
}

export const etcdConf = template<EtcdConf>(import.meta, 'etcd.env.ejs')
export const control = template<ControlConf>(import.meta, 'etcdctl.ejs')
export const dropInConf = template<object>(import.meta, 'drop-in.conf.ejs')
