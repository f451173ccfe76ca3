import type { Facts } from 'provision-ts'
import { CERTIFICATE, KEY } from './files.ts'
import { PORT, type PostgresParams, type Settings } from './params.ts'

/** What primaries and replicas have in common. Those of a replica may not be less than the primary's, so both have the same. */
export function commonSettings({ name, address, settings = {} }: PostgresParams, facts: Facts): Settings {
  return {
    listen_addresses: `${address},localhost`,
    port: PORT,
    cluster_name: name,
    ssl: true,
    ssl_cert_file: CERTIFICATE,
    ssl_key_file: KEY,
    ssl_min_protocol_version: 'TLSv1.2',
    password_encryption: 'scram-sha-256',
    max_connections: 100,
    shared_buffers: `${sharedBuffers(facts)}MB`,
    ...REPLICATION,
    ...CONNECTIONS,
    ...LOGGING,
    ...settings,
  }
}

/** A dead peer is noticed within 10 s instead of a minute; a replica that stays away cannot fill the primary's disk. */
const REPLICATION: Settings = {
  wal_level: 'replica',
  wal_log_hints: true,
  max_wal_senders: 10,
  max_replication_slots: 10,
  max_slot_wal_keep_size: '4GB',
  wal_keep_size: '256MB',
  hot_standby: true,
  wal_sender_timeout: '10s',
  wal_receiver_timeout: '10s',
  synchronous_commit: 'on',
}

/** A client that lost its power holds a connection for 45 s at most, and locks for a minute. */
const CONNECTIONS: Settings = {
  tcp_keepalives_idle: 30,
  tcp_keepalives_interval: 5,
  tcp_keepalives_count: 3,
  idle_in_transaction_session_timeout: '60s',
}

const LOGGING: Settings = {
  log_line_prefix: '%m [%p] %q%u@%d ',
  log_connections: true,
  log_disconnections: true,
  log_lock_waits: true,
  log_checkpoints: true,
  lc_messages: 'C',
  timezone: 'Etc/UTC',
  log_timezone: 'Etc/UTC',
}

/** MB: a quarter of the memory, as a power of two, so that a kernel that counts a little less does not ask for a restart. */
function sharedBuffers({ memory }: Facts): number {
  const quarter = memory / 4 / 2 ** 20
  return Math.min(1024, Math.max(128, 2 ** Math.floor(Math.log2(quarter))))
}

/** A value as postgresql.conf writes it. */
export function written(value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  if (typeof value === 'number') return String(value)
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}
