import { template } from 'provision-ts'
import type { Database, Paths } from './params.ts'

export interface MainConf extends Pick<Paths, 'data' | 'config' | 'version'> {
  readonly port: number
}

export interface SettingsConf {
  readonly settings: readonly { readonly name: string; readonly value: string }[]
}

export interface HbaConf {
  readonly databases: readonly Pick<Database, 'name' | 'owner' | 'user'>[]
  readonly clients: readonly Network[]
  readonly peers: readonly Network[]
  readonly replicator: string
  /** The role of a local program that reads statistics. */
  readonly monitor: string | undefined
  /** Allows the replication role on the local socket, for Patroni. */
  readonly locally: boolean
}

export interface IdentConf {
  readonly databases: readonly Pick<Database, 'owner'>[]
}

export interface Network {
  /** A network of one address. */
  readonly network: string
}

export const mainConf = template<MainConf>(import.meta, 'postgresql.conf.ejs')
export const settingsConf = template<SettingsConf>(import.meta, 'settings.conf.ejs')
export const hbaConf = template<HbaConf>(import.meta, 'pg_hba.conf.ejs')
export const identConf = template<IdentConf>(import.meta, 'pg_ident.conf.ejs')
