import { ask, read, sh } from 'provision-ts'

/** The database of a host, running or not. */
export type ClusterState = Nothing | MissingData | ForeignCluster | Cluster

/** There was never a database. */
interface Nothing {
  readonly kind: 'nothing'
}

/** There is a configuration without data: a disk is not mounted, or the data were moved. */
interface MissingData {
  readonly kind: 'lost'
}

/** A cluster that the roles did not create and cannot adopt: its name or data directory is different. */
export interface ForeignCluster {
  readonly kind: 'foreign'
  /** As in `pg_lsclusters`: `15/main`. */
  readonly name: string
  readonly data: string
}

export interface Cluster {
  readonly kind: 'cluster'
  readonly version: number
  /** True for a standby. If it does not run: true if it would start as a standby. */
  readonly standby: boolean
  /** True if the server answers. */
  readonly running: boolean
  /** The system identifier, the same for a primary and its copies; undefined if the control file cannot be read. */
  readonly system: string | undefined
  /** Increases with each promotion. */
  readonly timeline: number
  /** The state in the control file: `in production`, `shut down`. `in production` without a running server means a crash. */
  readonly state: string
}

/**
 * The timeline of a standby, as SQL. Without a primary, its control file may have an older one for minutes. The names of its WAL files have
 * the current one.
 */
export const STANDBY_TIMELINE = `(select greatest((select received_tli from pg_stat_wal_receiver), min_recovery_end_timeline,
  (select max(('x' || left(name, 8))::bit(32)::int) from pg_ls_waldir() where name ~ '^[0-9A-F]{24}$')) from pg_control_recovery())`

const SCRIPT = sh`
standby_timeline=${STANDBY_TIMELINE}
found=
for data in /var/lib/postgresql/*/main; do [ ! -s "$data/PG_VERSION" ] || found=$data; done
if [ "$found" ]; then
  read -r version <"$found/PG_VERSION"; bin=/usr/lib/postgresql/$version/bin
  standby=f; [ ! -e "$found/standby.signal" ] || standby=t
  echo "cluster $version"; echo "standby $standby"
  "$bin/pg_controldata" "$found" 2>/dev/null
  PGCONNECT_TIMEOUT=5 PGOPTIONS='-c statement_timeout=5s' HOME=/var/lib/postgresql setpriv --reuid postgres --regid postgres --init-groups "$bin/psql" -XAtqw -F ' ' -h /run/postgresql -p 5432 -d postgres 2>/dev/null -c "
    select 'standby', pg_is_in_recovery();
    select 'timeline', $standby_timeline where pg_is_in_recovery();
    select 'timeline', ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int where not pg_is_in_recovery();
    select 'running', true;"
else
  for conf in /etc/postgresql/*/main/conf.d/90-provision.conf; do [ ! -e "$conf" ] || echo lost; done
fi
own=
for conf in /etc/postgresql/*/*/conf.d/90-provision.conf; do [ ! -e "$conf" ] || own=own; done
echo "$own"
[ "$own" ] || grep -sHE '^[[:space:]]*(data_directory|port)[[:space:]=]' /etc/postgresql/*/*/postgresql.conf
echo end`

/**
 * The database of a host. After a promotion the control file has the old timeline for some seconds, on a replica for minutes. So a running
 * server is asked for the timeline that it writes or receives.
 *
 * @throws Error if the answer is incomplete, which must not mean "no database"
 */
export const clusterState = ask('the state of its database', read(SCRIPT, parseClusterState, { shared: true }))

export function parseClusterState({
  stdout,
  stderr,
}: {
  readonly stdout: string
  readonly stderr: string
}): ClusterState {
  const lines = stdout.split('\n').filter((line) => line !== '')
  if (lines.at(-1) !== 'end') {
    const why = stderr.trim().split('\n').at(-1)
    throw new Error(`the answer is incomplete, so it is unknown if there are data${why ? ` (${why})` : ''}`)
  }
  // The last line of a key wins: answers of the server come after its files.
  const said = new Map(lines.map(convertLine).map((line) => [line.split(' ', 1)[0], line.slice(line.indexOf(' ') + 1)]))
  const other = said.has('own') ? undefined : foreignIn(lines)
  if (other) return other
  const version = said.get('cluster')
  if (version === undefined) return { kind: said.has('lost') ? 'lost' : 'nothing' }
  return {
    kind: 'cluster',
    version: Number(version),
    standby: said.get('standby') === 't',
    running: said.has('running'),
    system: said.get('system'),
    timeline: Number(said.get('timeline') ?? 0),
    state: said.get('state') ?? 'unknown',
  }
}

/** Converts a line of pg_controldata to a key and a value. Other lines stay. */
function convertLine(line: string): string {
  for (const [pattern, word] of CONTROL_DATA) {
    const [, value] = pattern.exec(line) ?? []
    if (value !== undefined) return `${word} ${value}`
  }
  return line
}

const CONTROL_DATA: readonly (readonly [RegExp, string])[] = [
  [/^Database system identifier: *(.*)/, 'system'],
  [/^Database cluster state: *(.*)/, 'state'],
  [/^Latest checkpoint's TimeLineID: *(.*)/, 'timeline'],
  [/^Min recovery ending loc's timeline: *([1-9].*)/, 'timeline'],
]

/** Finds foreign clusters by their configurations, as Debian does. Stopped ones count: their disk may not be mounted. */
function foreignIn(lines: readonly string[]): ForeignCluster | undefined {
  const clusters = new Map<string, Map<string, string>>()
  for (const line of lines) {
    const [, name, key, value] =
      /^\/etc\/postgresql\/([^:]+)\/postgresql\.conf:\s*(data_directory|port)[\s=]+'?([^'#\s]+)/.exec(line) ?? []
    if (name === undefined || key === undefined || value === undefined) continue
    clusters.set(name, (clusters.get(name) ?? new Map<string, string>()).set(key, value))
  }
  for (const [name, settings] of clusters) {
    const data = settings.get('data_directory') ?? `/var/lib/postgresql/${name}`
    const isMain = name.endsWith('/main')
    const adopted = isMain && data === `/var/lib/postgresql/${name}`
    if (!adopted && (isMain || (settings.get('port') ?? '5432') === '5432')) return { kind: 'foreign', name, data }
  }
  return undefined
}

/** True if it takes writes now. */
export function isPrimary(found: ClusterState | undefined): boolean {
  return found?.kind === 'cluster' && found.running && !found.standby
}

/** Describes the state for messages. */
export function describeState(found: ClusterState | undefined): string {
  if (!found) return 'cannot be reached'
  if (found.kind === 'nothing') return 'has no database'
  if (found.kind === 'lost') return 'has a configuration, but no data: a disk is not mounted, or the data were moved'
  if (found.kind === 'foreign') return `has a cluster ${found.name} with its data in ${found.data}`
  const { standby, running, timeline, state } = found
  const what = `${standby ? 'a replica' : 'a primary'}, timeline ${timeline}`
  return running ? `is ${what}` : `has ${what} that does not answer (${state})`
}
