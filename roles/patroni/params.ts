import { type Host, InvalidParams, type KeyPair, type Secret } from 'provision-ts'
import { limitsFor } from '../postgres/lib/settings.ts'
import { REPLICATOR, type Settings } from '../postgres/params.ts'

/** When a write is acknowledged. `strict`: never without a replica, so writes wait while none follows. */
export type Synchronous = boolean | 'strict'

export interface PatroniParams {
  /** The host's name, also as a member of the cluster. */
  readonly name: string
  /** The address of its database and REST API for other hosts. */
  readonly address: string
  /** For its name and address, by `authority`, for servers and clients. */
  readonly certificate: KeyPair
  /** The authority of the certificates of database hosts and etcd, as PEM. */
  readonly authority: string
  /** The passwords of the roles. */
  readonly passwords: {
    /** Of the role `replicator`. */
    readonly replication: Secret
  }
  /** PostgreSQL's major version. @default that of the Debian release */
  readonly version?: 15 | 17
  /** The settings of the PostgreSQL roles. Their limits are stored in the cluster: `max_connections`, `max_wal_senders`, … */
  readonly settings?: Settings
  /** The members of the etcd cluster. A database host is one of them. */
  readonly etcd: readonly Host[]
  /**
   * True if a write is acknowledged only when a replica has it on its disk. If the last replica is lost, writes continue without one after
   * some seconds, and that replica cannot be promoted any more; with `strict` they wait. @default true
   */
  readonly synchronous?: Synchronous
  /** The name of the cluster in etcd. @default 'main' */
  readonly scope?: string
  /** Seconds after which a primary that does not renew its lease is replaced; at least 20. @default 20 */
  readonly ttl?: number
  /** Seconds between two checks of the cluster by a host. @default 2 */
  readonly loopWait?: number
  /** Seconds in which a request to etcd or PostgreSQL is repeated before a primary stops to be one. @default 5 */
  readonly retryTimeout?: number
  /** Linux's watchdog device resets a host whose Patroni hangs. `required`: no host without one becomes the primary. @default 'off' */
  readonly watchdog?: 'off' | 'automatic' | 'required'
}

export const REST_PORT = 8008
export const CONFIG = '/etc/patroni/config.yml'
export const TRUSTED = '/etc/patroni/tls/authority.crt'
export const CERTIFICATE = '/etc/patroni/tls/host.crt'
export const KEY = '/etc/patroni/tls/host.key'
export const DROP_IN = '/etc/systemd/system/patroni.service.d/provision.conf'
/** `provision-patroni METHOD PATH [BODY]`: asks the REST API of this host. The last line of the output is the status of HTTP. */
export const REST = '/usr/local/sbin/provision-patroni'
/** Begins the stop of the server, and waits for its end up to a second. */
export const BEFORE_STOP = '/usr/local/sbin/provision-patroni-before-stop'
export const NAMESPACE = '/provision/'
export const SCOPE = 'main'

/** A lost acknowledged write was seen with an older one, whose leader takes its key without a comparison. */
export const OLDEST: readonly [number, number] = [3, 1]

export function restUrl({ address }: { readonly address: string }): string {
  return `https://${address.includes(':') ? `[${address}]` : address}:${REST_PORT}`
}

export function refuseTimes({ ttl = 20, loopWait = 2, retryTimeout = 5 }: PatroniParams): void {
  const refused = (what: string, where: string, next: string) => new InvalidParams(what, { where, next })
  if (ttl < 20) throw refused(`Patroni does not accept a ttl of ${ttl} seconds.`, 'ttl', 'Use 20 or more.')
  if (loopWait < 1 || retryTimeout < 3)
    throw refused(
      'Patroni requires a loopWait of at least 1 second, and a retryTimeout of at least 3.',
      'loopWait',
      'Remove them to use the defaults, or use higher values.',
    )
  if (loopWait + 2 * retryTimeout > ttl)
    throw refused(
      `A primary would keep its role for ${loopWait + 2 * retryTimeout} seconds without etcd, longer than its ttl of ${ttl}.`,
      'ttl',
      'Use a ttl of at least loopWait + 2 · retryTimeout.',
    )
}

/** A value of JSON. Null stands for a key that is not there. */
export type Json = string | number | boolean | null | { readonly [name: string]: Json }

/** The settings that the whole cluster has in common. They live in etcd. */
export function dynamicOf({
  synchronous = true,
  settings = {},
  ttl = 20,
  loopWait = 2,
  retryTimeout = 5,
}: Pick<PatroniParams, 'synchronous' | 'settings' | 'ttl' | 'loopWait' | 'retryTimeout'>): Dynamic {
  return {
    ttl,
    loop_wait: loopWait,
    retry_timeout: retryTimeout,
    maximum_lag_on_failover: 16 * 2 ** 20,
    check_timeline: true,
    synchronous_mode: synchronous !== false,
    synchronous_mode_strict: synchronous === 'strict' ? true : null,
    failsafe_mode: true,
    primary_start_timeout: 0,
    postgresql: {
      use_pg_rewind: true,
      use_slots: true,
      parameters: parametersOf(settings),
    },
  }
}

export type Dynamic = { readonly [name: string]: Json }

/** Settings that Patroni passes on the command line of the server, which override files. */
function parametersOf(settings: Settings): Dynamic {
  return {
    ...limitsFor({ settings }),
    max_replication_slots: Number(settings['max_replication_slots'] ?? 10),
    wal_level: 'replica',
    wal_log_hints: 'on',
    wal_keep_size: '256MB',
    hot_standby: 'on',
  }
}

export { REPLICATOR }
