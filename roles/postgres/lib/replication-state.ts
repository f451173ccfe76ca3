import { ask, mapRead, read, readBoth, sh } from 'provision-ts'
import { type Cluster, type ClusterState, clusterState } from './cluster-state.ts'
import { queryRow } from './psql.ts'

/** What a host tells of its database before it is moved: its place, and what only a server that runs can say. */
export interface ReplicationState {
  readonly cluster: ClusterState
  /** Undefined when no server answers. */
  readonly server: Server | undefined
  /** Seconds since the host booted. */
  readonly uptime: number
  /** Of a primary that does not run: where the last record begins that it wrote. */
  readonly lastRecord: string | undefined
  /** Of a replica: whether the host that it follows answers it, as a primary. */
  readonly seesPrimary: boolean
}

export interface Server {
  /** Whether commits wait for a replica; of a replica, whether they did as far as it has heard. */
  readonly synchronous: boolean
  readonly backup: boolean
  /** Seconds since the oldest open transaction began. */
  readonly oldestTransaction: number
  readonly replicas: readonly ReplicaState[]
  /** What it receives from; null for a primary, and for a replica whose primary is gone. */
  readonly receiver: { readonly state: string; readonly from: string | null } | null
  /** Where the received WAL ends; null when nothing was received since the start. */
  readonly received: string | null
  readonly replayed: string | null
  /** When the last transaction that it has was committed, by the primary's clock. */
  readonly lastCommit: string | null
}

/** A replica as its primary sees it. */
export interface ReplicaState {
  readonly name: string
  readonly state: string
  /** Bytes that it has not yet on its disk. */
  readonly behind: number
  /** Bytes that it has not yet put into its tables. */
  readonly unapplied: number
}

/** The replicas of a primary, as JSON. */
export const REPLICAS = `coalesce((select jsonb_agg(jsonb_build_object('name', application_name, 'state', state,
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
 * A crashed primary may have written more than its replica got; its own files say how far it came. A replica may reach a primary
 * that nobody else can, so it asks the one that it follows, for little longer than others wait for an SSH connection: a packet that is
 * lost on the way is sent again after a second.
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
  const said = new Map(
    stdout.split('\n').map((line) => [line.split(' ', 1)[0], line.slice(line.indexOf(' ') + 1)]),
  )
  return {
    uptime: Number(said.get('uptime') ?? 0),
    lastRecord: said.get('wrote'),
    seesPrimary: said.has('sees'),
  }
})

/** @throws Error when the host gave half an answer */
export const replicationState = ask(
  'the standing of its database',
  mapRead(
    readBoth(readBoth(clusterState.read, server), rest),
    ([[cluster, server], more]): ReplicationState => ({ cluster, server, ...more }),
  ),
)

/** A database that answers, with what it says. */
export interface RunningCluster {
  readonly cluster: Cluster
  readonly server: Server
}

export function runningCluster(found: ReplicationState | undefined): RunningCluster | undefined {
  return found?.cluster.kind === 'cluster' && found.cluster.running && found.server
    ? { cluster: found.cluster, server: found.server }
    : undefined
}
