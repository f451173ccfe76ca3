import { template } from 'provision-ts'
import type { BackupHost } from './params.ts'

export interface SourceConf {
  readonly address: string
  readonly repository: BackupHost
  readonly data: string
  readonly port: number
  readonly tls: Tls
  readonly queueMax: number
}

export interface RepositoryConf {
  readonly address: string
  readonly sources: readonly RepositorySource[]
  readonly keepFull: number
  readonly path: string
  readonly tls: Tls
}

interface RepositorySource extends BackupHost {
  readonly number: number
  readonly data: string
  readonly port: number
}

/** The values that both ends have in common. */
export interface Tls {
  readonly stanza: string
  readonly trusted: string
  readonly certificate: string
  readonly key: string
}

export const sourceConf = template<SourceConf>(import.meta, 'source.conf.ejs')
export const repositoryConf = template<RepositoryConf>(import.meta, 'repository.conf.ejs')
