import type { KeyPair, Secret } from 'provision-ts'
import type { ClusterState } from '../postgres/lib/cluster-state.ts'
import type { PostgresParams } from '../postgres/params.ts'

/** The params of both ends: the repository's host and the database hosts. */
export interface BackupHostParams extends BackupHost {
  /** For the host's name and address, signed by `authority`; used as a server and as a client certificate. */
  readonly certificate: KeyPair
  /** The CA that signed the certificates of all these hosts, as PEM. */
  readonly authority: string
}

export interface BackupSourceParams extends BackupHostParams, Pick<PostgresParams, 'version'> {
  /** The host that keeps the backups. */
  readonly repository: BackupHost
  /**
   * GiB of WAL that may wait on a database host while the repository does not answer. More is dropped, so that the disk does not fill
   * up and the database continues; a restore is then possible again from the next backup. @default 8
   */
  readonly queueMax?: number
}

export interface BackupRepositoryParams extends BackupHostParams, Pick<PostgresParams, 'version'> {
  /** The database hosts. Each backup finds out which of them is the primary. */
  readonly sources: readonly BackupHost[]
  /** The database of the primary; undefined if it could not be read. It may be empty while a plan is made. */
  readonly found: ClusterState | undefined
  /** Encrypts the repository. Without it the backups are lost. It cannot be changed later. */
  readonly passphrase: Secret
  /** The number of full backups to keep, each with the backups that depend on it. @default 2 */
  readonly keepFull?: number
  /** The directory of the repository. @default '/var/lib/pgbackrest' */
  readonly path?: `/${string}`
  /** Start times of backups, as systemd calendar events. @default a full one on Sunday, a differential one on the other days, after 1 o'clock */
  readonly schedule?: { readonly full: string; readonly diff: string }
}

/** A host that takes part. */
export interface BackupHost {
  /** The host's name, as in its certificate. */
  readonly name: string
  /** The host's address, as in its certificate. */
  readonly address: string
}

/** The name of the cluster in pgBackRest, the same on all hosts. */
export const STANZA = 'main'

/** The port of pgBackRest on the database hosts and on the repository's host. */
export const PORT = 8432

/** The default directory of the repository. */
export const REPOSITORY = '/var/lib/pgbackrest'
