import { type Facts, InvalidParams, type KeyPair, type Secret } from 'provision-ts'

/** The params that `postgres-primary` and `postgres-replica` share, so that a host of one can become a host of the other. */
export interface PostgresParams {
  /** The host's name, also of its cluster in logs and of its slot on the primary. */
  readonly name: string
  /** The address to listen on, in addition to the loopback and the local socket. */
  readonly address: string
  /** The major version of PostgreSQL. Another one than that of the Debian release (15 on 12, 17 on 13) is refused. @default that of the Debian release */
  readonly version?: 15 | 17
  /** For the host's name and address, signed by `authority`. */
  readonly certificate: KeyPair
  /** The CA of the certificates of database hosts, as PEM. */
  readonly authority: string
  /** Hosts that may log in to the databases, as their users. */
  readonly clients: readonly { readonly address: string }[]
  /** The other database hosts. They may replicate from this host, and are asked before it starts as a primary. */
  readonly peers: readonly { readonly name: string; readonly address: string }[]
  /**
   * Seconds after a boot of this host in which another database host may come up too, before this one starts as a primary without its
   * answer. @default 15
   */
  readonly bootGrace?: number
  /** The databases, each with a schema of the same name. */
  readonly databases: readonly Database[]
  /**
   * A database role for monitoring: it reads statistics, and a program whose user has the same name logs in as it by the local socket.
   * @default none
   */
  readonly monitor?: string
  /** The passwords of database roles that other hosts use. */
  readonly passwords: {
    /** The password of the role `replicator`. */
    readonly replication: Secret
  }
  /**
   * Settings of postgresql.conf, in addition to those of the role or instead of them. PostgreSQL reports which ones need a restart. Use the
   * same on all database hosts: some limits must not be lower on a replica. @default none
   */
  readonly settings?: Settings
  /** Patroni will manage the server. It gets access before it starts. @default false */
  readonly managed?: boolean
  /** An earlier play removes Patroni from the server. Otherwise a server that Patroni manages is refused. @default false */
  readonly leavesPatroni?: boolean
  /** The present manager of the server. @default 'systemd' */
  readonly manager?: Manager
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

export type Manager = 'systemd' | 'patroni'

export interface Database {
  readonly name: string
  /**
   * The owner of the schema with the database's name. Migrations run as this role. It has no password and logs in only by the local socket.
   * The owner of the database itself is `postgres`. The name of `user` for an application that creates its tables itself.
   */
  readonly owner: string
  /** The role of the application. It reads and writes rows, and can create, change and drop nothing, unless it is the owner. */
  readonly user: string
  /** The password of the user. */
  readonly password: Secret
}

export type Settings = Readonly<Record<string, string | number | boolean>>

/** The role of replicas. */
export const REPLICATOR = 'replicator'

export const PORT = 5432

/** Names and paths of a cluster of one version. */
export interface Paths {
  readonly version: number
  readonly unit: `postgresql@${number}-main.service`
  readonly bin: string
  readonly data: `/${string}`
  readonly config: `/${string}`
  readonly log: string
}

export function pathsOf({ version }: Pick<PostgresParams, 'version'>, { os }: Pick<Facts, 'os'>): Paths {
  const packaged = os.id === 'debian' ? RELEASES.get(os.version) : undefined
  if (!packaged) {
    throw new InvalidParams(`${os.id} ${os.version} has no version of PostgreSQL that this role supports.`, {
      next: 'Supported are Debian 12 (PostgreSQL 15) and 13 (17).',
      systems: ['debian 12', 'debian 13'],
    })
  }
  const wanted = version ?? packaged
  if (wanted !== packaged) {
    throw new InvalidParams(`Debian ${os.version} does not have PostgreSQL ${wanted}.`, {
      where: 'version',
      next: `Leave version out, or set ${packaged}. Nothing was changed on any host.`,
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

/** The version of PostgreSQL in each release of Debian. */
const RELEASES: ReadonlyMap<string, 15 | 17> = new Map([
  ['12', 15],
  ['13', 17],
])

/** Returns the name of a replica's slot, in which a dash is not allowed. */
export function slotOf({ name }: { readonly name: string }): string {
  return name.toLowerCase().replace(/[^a-z0-9_]/g, '_')
}

/** Returns a password file for all addresses, as the primary may change. */
export function passfile(password: Secret): Secret {
  return password.map((text) => {
    const escaped = text.replace(/[\\:]/g, '\\$&')
    return ['replication', 'postgres'].map((database) => `*:${PORT}:${database}:${REPLICATOR}:${escaped}\n`).join('')
  })
}
