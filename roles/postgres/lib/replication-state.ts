import { ask, mapRead, read, readBoth, sh } from 'provision-ts'
import { type Cluster, type ClusterState, clusterState } from './cluster-state.ts'
import { queryRow } from './psql.ts'

/** The state of a database host before the primary moves: its cluster, and data of the running server. */
export interface ReplicationState {
  readonly cluster: ClusterState
  /** Undefined if no server answers. */
  readonly server: Server | undefined
  /** Seconds since the host booted. */
  readonly uptime: number
  /** Of a stopped primary: the position of the last WAL record that it wrote. */
  readonly lastRecord: string | undefined
  /** Of a replica: true if its primary answers it. */
  readonly seesPrimary: boolean
}

export interface Server {
  /** True if commits wait for a replica. Of a replica: as of the last WAL that it replayed. */
  readonly synchronous: boolean
  readonly backup: boolean
  /** Age of the oldest open transaction, in seconds. */
  readonly oldestTransaction: number
  readonly replicas: readonly ReplicaState[]
  /** The WAL receiver; null for a primary, and for a replica without a connection. */
  readonly receiver: { readonly state: string; readonly from: string | null } | null
  /** The end of the received WAL; null if nothing was received since the start. */
  readonly received: string | null
  readonly replayed: string | null
  /** The time of the last replayed commit, by the primary's clock. */
  readonly lastCommit: string | null
}

/** A replica as its primary sees it. */
interface ReplicaState {
  readonly name: string
  readonly state: string
  /** Bytes that are not on its disk yet. */
  readonly behind: number
  /** Bytes that are not replayed yet. */
  readonly unapplied: number
}

/** The replicas of a primary, as JSON. */
const REPLICAS = `coalesce((select jsonb_agg(jsonb_build_object('name', application_name, 'state', state,
  'behind', coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), flush_lsn), 0),
  'unapplied', coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn), 0))) from pg_stat_replication), '[]')`

const server = queryRow<Server>(
  `select coalesce(current_setting('provision.synchronous', true), '') = 'on' as synchronous,
     exists (select from pg_stat_progress_basebackup) as backup,
     coalesce((select max(extract(epoch from clock_timestamp() - xact_start)) from pg_stat_activity
       where backend_type = 'client backend' and pid <> pg_backend_pid()), 0)::int as "oldestTransaction",
     case when pg_is_in_recovery() then '[]' else ${REPLICAS} end as replicas,
     (select jsonb_build_object('state', status, 'from', sender_host) from pg_stat_wal_receiver) as receiver,
     pg_last_wal_receive_lsn() as received, pg_last_wal_replay_lsn() as replayed, pg_last_xact_replay_timestamp() as "lastCommit"`,
)

/**
 * The files of a crashed primary show the last record that it wrote. A replica may reach a primary that the controller cannot, so it asks its
 * primary. The limit is a little over a second, after which a lost packet is sent again.
 */
const REST = sh`
echo "uptime $(cut -d . -f 1 /proc/uptime)"
as_postgres() { HOME=/var/lib/postgresql setpriv --reuid postgres --regid postgres --init-groups "$@"; }
for data in /var/lib/postgresql/*/main; do
  [ -s "$data/PG_VERSION" ] || continue
  bin=/usr/lib/postgresql/$(cat "$data/PG_VERSION")/bin
  if [ -e "$data/standby.signal" ]; then
    from=$(as_postgres "$bin/psql" -XAtqw -h /run/postgresql -p 5432 -d postgres -c 'show primary_conninfo' 2>/dev/null)
    [ "$from" ] && [ "$(timeout 1.1 setpriv --reuid postgres --regid postgres --init-groups "$bin/psql" -XAtqw -d "$from dbname=replication replication=true" -c 'SHOW in_hot_standby' 2>/dev/null)" = off ] && echo 'sees a primary'
    continue
  fi
  "$bin/pg_isready" -q -h /run/postgresql -p 5432 && continue
  control=$("$bin/pg_controldata" "$data" 2>/dev/null) || continue
  from=$(printf '%s\n' "$control" | sed -n "s/^Latest checkpoint's REDO location: *//p")
  timeline=$(printf '%s\n' "$control" | sed -n "s/^Latest checkpoint's TimeLineID: *//p")
  timeout 20 "$bin/pg_waldump" -p "$data/pg_wal" -t "$timeline" -s "$from" 2>/dev/null | tail -n 1 | sed -n 's/.*lsn: \([0-9A-F/]*\),.*/wrote \1/p'
done`

const rest = read(REST, ({ stdout }) => {
  const said = new Map(stdout.split('\n').map((line) => [line.split(' ', 1)[0], line.slice(line.indexOf(' ') + 1)]))
  return {
    uptime: Number(said.get('uptime') ?? 0),
    lastRecord: said.get('wrote'),
    seesPrimary: said.has('sees'),
  }
})

/** @throws Error if the answer is incomplete */
export const replicationState = ask(
  'the replication state of its database',
  mapRead(
    readBoth(readBoth(clusterState.read, server), rest),
    ([[cluster, server], more]): ReplicationState => ({ cluster, server, ...more }),
  ),
)

/** A database that answers. */
interface RunningCluster {
  readonly cluster: Cluster
  readonly server: Server
}

export function runningCluster(found: ReplicationState | undefined): RunningCluster | undefined {
  return found?.cluster.kind === 'cluster' && found.cluster.running && found.server
    ? { cluster: found.cluster, server: found.server }
    : undefined
}
