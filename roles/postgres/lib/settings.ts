import type { Facts } from 'provision-ts'
import { PORT, type PostgresParams, type Settings, slotOf } from '../params.ts'
import { conninfo } from './conninfo.ts'
import { CERTIFICATE, KEY } from './files.ts'

export type PrimaryAddress = { readonly address: string }

/**
 * Returns the settings of a database host. A primary has the connection to another host too, and ignores it. So a change of roles changes no
 * file.
 */
export function settingsOf(params: PostgresParams, facts: Facts, follows: PrimaryAddress | undefined): Settings {
  const { name, address, manager, settings = {} } = params
  return {
    listen_addresses: `${address},localhost`,
    port: PORT,
    cluster_name: name,
    ssl: true,
    ssl_cert_file: CERTIFICATE,
    ssl_key_file: KEY,
    ssl_min_protocol_version: 'TLSv1.2',
    password_encryption: 'scram-sha-256',
    ...LIMITS,
    ...memory(facts, Number(settings['max_connections'] ?? LIMITS.max_connections)),
    ...REPLICATION,
    // After the loss of a replica, commits wait this long, and then continue without one.
    ...(manager === 'patroni' && { wal_sender_timeout: '5s' }),
    ...(follows && { primary_conninfo: conninfo(follows.address), primary_slot_name: slotOf({ name }) }),
    ...CONNECTIONS,
    ...LOGGING,
    ...settings,
  }
}

/** Limits that must not be lower on a replica than on its primary: replay would pause. */
const LIMITS = {
  max_connections: 100,
  max_worker_processes: 8,
  max_wal_senders: 10,
  max_prepared_transactions: 0,
  max_locks_per_transaction: 64,
} as const

export type Limits = Readonly<Record<keyof typeof LIMITS, number>>

export const LIMIT_NAMES = Object.keys(LIMITS) as readonly (keyof Limits)[]

/** Returns the limits of the params. */
export function limitsFor({ settings = {} }: Pick<PostgresParams, 'settings'>): Limits {
  return {
    ...LIMITS,
    ...Object.fromEntries(LIMIT_NAMES.flatMap((name) => (name in settings ? [[name, Number(settings[name])]] : []))),
  }
}

/** A dead peer is detected within 10 s instead of a minute. A replica that does not return cannot fill the primary's disk. */
const REPLICATION: Settings = {
  wal_level: 'replica',
  wal_log_hints: true,
  max_replication_slots: 10,
  max_slot_wal_keep_size: '4GB',
  wal_keep_size: '256MB',
  hot_standby: true,
  wal_sender_timeout: '10s',
  wal_receiver_timeout: '10s',
  synchronous_commit: 'on',
}

/** A client without power keeps its connection for at most 45 s, and locks for a minute. */
const CONNECTIONS: Settings = {
  tcp_keepalives_idle: 30,
  tcp_keepalives_interval: 5,
  tcp_keepalives_count: 3,
  idle_in_transaction_session_timeout: '60s',
}

const LOGGING: Settings = {
  log_line_prefix: '%m [%p] %q%u@%d %a ',
  // Applications put the request id into statements, so slow and failed ones can be found. Parameters are not logged.
  log_min_duration_statement: '500ms',
  log_parameter_max_length: 0,
  log_connections: true,
  log_disconnections: true,
  log_lock_waits: true,
  log_checkpoints: true,
  lc_messages: 'C',
  timezone: 'Etc/UTC',
  log_timezone: 'Etc/UTC',
}

/**
 * Settings for the host's memory: a quarter for shared buffers, half for the page cache. All values are powers of two, so that a slightly
 * different size after a kernel update needs no restart.
 */
function memory({ memory: bytes }: Pick<Facts, 'memory'>, connections: number): Settings {
  const megabytes = bytes / 2 ** 20
  return {
    shared_buffers: `${powerOfTwo(megabytes / 4, 128, 8192)}MB`,
    effective_cache_size: `${powerOfTwo(megabytes / 2, 256, 2 ** 20)}MB`,
    maintenance_work_mem: `${powerOfTwo(megabytes / 16, 64, 1024)}MB`,
    // A session may use it several times. If all use it once, they take a quarter of the memory.
    work_mem: `${powerOfTwo(megabytes / 4 / connections, 4, 64)}MB`,
  }
}

/** Returns the largest power of two up to the value, within bounds. */
function powerOfTwo(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, 2 ** Math.floor(Math.log2(value))))
}

/** Formats a value for postgresql.conf. */
export function formatSetting(value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  if (typeof value === 'number') return String(value)
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}
