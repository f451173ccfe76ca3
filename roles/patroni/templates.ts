import { type Secret, template } from 'provision-ts'
import type { Paths } from '../postgres/params.ts'

export interface Tls {
  readonly certificate: string
  readonly key: string
  readonly trusted: string
}

export interface PatroniConf {
  readonly name: string
  readonly scope: string
  readonly rest: string
  readonly listen: string
  readonly postgres: string
  readonly etcd: readonly string[]
  readonly tls: Tls
  readonly paths: Paths
  /** Which authority a replica trusts. */
  readonly passfile: { readonly trusted: string }
  readonly watchdog: string
  /** The path of a program. */
  readonly beforeStop: string
  /** Quoted as YAML. */
  readonly password: Secret
}

export interface ServerConf {
  readonly conf: string
}

export interface BeforeStopConf {
  readonly data: string
}

export interface RestConf {
  readonly url: string
  readonly tls: Tls
}

export const patroniConf = template<PatroniConf>(import.meta, 'config.yml.ejs')
export const patroniDropIn = template<object>(import.meta, 'patroni.drop-in.conf.ejs')
export const serverConf = template<ServerConf>(import.meta, 'server.drop-in.conf.ejs')
export const beforeStop = template<BeforeStopConf>(import.meta, 'before-stop.ejs')
export const rest = template<RestConf>(import.meta, 'rest.ejs')
