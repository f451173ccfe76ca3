import { ask, mapRead, output, Problem, type Question, sh, Unknown } from 'provision-ts'

/** The state of a database server and of its replicas, as the server reports it. */
export interface Health {
  readonly standby: boolean
  readonly version: number
  /** PostgreSQL's system identifier. */
  readonly system: string
  readonly timeline: number
  /** Of a replica: the state of its WAL receiver, and the address of its primary. */
  readonly receives: { readonly state: string; readonly from: string | null } | null
  /** True if commits must wait for a replica. */
  readonly synchronous: boolean
  readonly replicas: readonly {
    readonly name: string
    readonly state: string
    readonly sync: string
    /** Bytes of WAL that are not replayed yet. */
    readonly behind: number
  }[]
  /** Replication slots that lost their WAL, or are about to. */
  readonly lost: readonly string[]
  /** Settings that need a restart. */
  readonly pending: readonly string[]
}

/**
 * Queries one row as part of the checks of a host, within their limits. The answer is a Problem if the server refuses, and an
 * {@link Unknown} if it does not answer.
 *
 * @typeParam T the columns that the query selects
 */
export function healthQuery<T extends object>(label: string, sql: string): Question<T | Problem> {
  const script = sh`
for psql in /usr/lib/postgresql/*/bin/psql; do :; done
[ -x "$psql" ] || { echo 'there is no psql'; exit 1; }
cd / && HOME=/var/lib/postgresql setpriv --reuid postgres --regid postgres --init-groups "$psql" -XAtqw -h /run/postgresql -p 5432 -d postgres -c ${`select 'row ' || to_jsonb(row)::text from (${sql}) as row`}`
  return ask(
    label,
    mapRead(output(label, script).read, (answer) => {
      if (answer instanceof Problem) return answer
      const [, row] = /^row (\{.*\})$/m.exec(answer.said) ?? []
      // T describes the columns of the query.
      return row === undefined ? new Unknown('psql returned no row') : (JSON.parse(row) as T)
    }),
  )
}

export const health: Question<Health | Problem> = healthQuery(
  'the state of its database',
  `
    select pg_is_in_recovery() as standby, current_setting('server_version_num')::int / 10000 as version,
      (select system_identifier::text from pg_control_system()) as system,
      case when pg_is_in_recovery() then (select received_tli from pg_stat_wal_receiver)
        else ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int end as timeline,
      (select jsonb_build_object('state', status, 'from', sender_host) from pg_stat_wal_receiver) as receives,
      current_setting('synchronous_standby_names') <> '' or coalesce(current_setting('provision.synchronous', true), '') = 'on' as synchronous,
      case when pg_is_in_recovery() then '[]' else coalesce((select jsonb_agg(jsonb_build_object('name', application_name,
        'state', state, 'sync', sync_state, 'behind', coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn), 0)))
        from pg_stat_replication where application_name <> 'pg_basebackup'), '[]') end as replicas,
      coalesce((select jsonb_agg(slot_name) from pg_replication_slots where wal_status in ('lost', 'unreserved')), '[]') as lost,
      coalesce((select jsonb_agg(name) from pg_settings where pending_restart and name <> 'cluster_name'), '[]') as pending`,
)
