import { type Facts, type Host, InvalidParams, type KeyPair, type Secret } from 'provision-ts'

/** What a primary and a replica have in common, so that one can become the other. */
export interface PostgresParams {
  /** The host's name: of its cluster in logs, of its slot on the primary. */
  readonly name: string
  /** Where it listens, beside the loopback and the local socket. */
  readonly address: string
  /** PostgreSQL's major version, which is that of the Debian release: 15 on 12, 17 on 13. Said, it is held against the host. */
  readonly version?: 15 | 17
  /** For its name and address, by `authority`. */
  readonly certificate: KeyPair
  /** Who signed the certificates of the database hosts, as PEM. */
  readonly authority: string
  /** Hosts that may log in to the databases, each as the user of one. */
  readonly clients: readonly { readonly address: string }[]
  /** The other database hosts: they may replicate from here, and are asked who they are before this one starts as a primary. */
  readonly peers: readonly { readonly name: string; readonly address: string }[]
  /**
   * Seconds after a boot of this host in which another database host may come up too, before this one starts as a primary without its
   * answer. @default 15
   */
  readonly bootGrace?: number
  readonly databases: readonly Database[]
  readonly passwords: {
    /** Of the role `replicator`. */
    readonly replication: Secret
  }
  /**
   * Further settings of postgresql.conf, or others than those of the role. Whether one needs a restart is asked of PostgreSQL
   * itself. Give the same to all database hosts: a replica may not have less than its primary.
   */
  readonly settings?: Settings
  /** Whether Patroni is to manage the server: it is let in before it does. @default false */
  readonly managed?: boolean
  /** Who starts and stops the server now. @default 'systemd' */
  readonly manager?: Manager
}

export interface PostgresPrimaryParams extends PostgresParams {
  /** Hosts that follow this one. Each gets a replication slot. */
  readonly replicas: readonly { readonly name: string }[]
}

export interface PostgresReplicaParams extends PostgresParams {
  /** The host to follow. Only a copy of its data is started. */
  readonly primary: Host
  /**
   * The data of a host that was a primary itself. `rewind`: changes that only this host has are undone; where that fails, the data are
   * moved aside and a new copy is taken. `copy`: moved aside at once. Nothing is deleted. @default 'refuse'
   */
  readonly oldPrimary?: OldPrimaryAction
}

export interface PostgresReplicationParams extends Pick<PostgresParams, 'version'> {
  /** Reachable hosts that must follow. */
  readonly replicas: readonly { readonly name: string }[]
  /**
   * A commit waits until one of these hosts has it on disk. This starts once one of them streams, and only an empty list ends it: a
   * primary that loses its replica makes writes wait. @default nothing is changed
   */
  readonly synchronous?: readonly { readonly name: string }[]
}

/** See {@link PostgresReplicaParams.oldPrimary}. */
export type OldPrimaryAction = 'refuse' | 'rewind' | 'copy'

export type Manager = 'systemd' | 'patroni'

export interface Database {
  readonly name: string
  /**
   * The role that owns the schema of the database's name, and that migrations run as. It has no password and logs in on the host of the
   * database alone, by the local socket. The database itself stays with `postgres`.
   */
  readonly owner: string
  /** The role that the application logs in as: it reads and writes rows, and can make, change and drop nothing. */
  readonly user: string
  /** Of the user. */
  readonly password: Secret
}

export type Settings = Readonly<Record<string, string | number | boolean>>

/** The role that replicas log in as. */
export const REPLICATOR = 'replicator'

export const PORT = 5432

/** Where things lie on a host, for one version. */
export interface Paths {
  readonly version: number
  readonly unit: `postgresql@${number}-main.service`
  readonly bin: string
  readonly data: `/${string}`
  readonly config: `/${string}`
  readonly log: string
}

export function pathsOf({ version }: Pick<PostgresParams, 'version'>, { os }: Pick<Facts, 'os'>): Paths {
  const carried = RELEASES.get(os.version)
  if (!carried) {
    throw new InvalidParams(`${os.id} ${os.version} has no version of PostgreSQL that this role knows.`, {
      next: 'It knows Debian 12 (PostgreSQL 15) and 13 (17).',
    })
  }
  const wanted = version ?? carried
  if (wanted !== carried) {
    throw new InvalidParams(`Debian ${os.version} does not carry PostgreSQL ${wanted}.`, {
      where: 'version',
      next: `Leave version away, or say ${carried}. Nothing was changed on any host.`,
    })
  }
  return pathsFor(wanted)
}

export function pathsFor(version: number): Paths {
  return {
    version,
    unit: `postgresql@${version}-main.service`,
    bin: `/usr/lib/postgresql/${version}/bin`,
    data: `/var/lib/postgresql/${version}/main`,
    config: `/etc/postgresql/${version}/main`,
    log: `/var/log/postgresql/postgresql-${version}-main.log`,
  }
}

/** Debian's releases, and what each carries. */
const RELEASES: ReadonlyMap<number, 15 | 17> = new Map([
  [12, 15],
  [13, 17],
])

/** The name of a replica's slot: slots may not have a dash. */
export function slotOf({ name }: { readonly name: string }): string {
  return name.toLowerCase().replace(/[^a-z0-9_]/g, '_')
}

/** For every address: which of the others is primary may change. */
export function passfile(password: Secret): Secret {
  return password.map((text) => {
    const escaped = text.replace(/[\\:]/g, '\\$&')
    return ['replication', 'postgres']
      .map((database) => `*:${PORT}:${database}:${REPLICATOR}:${escaped}\n`)
      .join('')
  })
}
