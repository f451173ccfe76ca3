import { type Command, compare, resource, type Shell, sh } from 'provision-ts'
import { literal, queryRow, sqlCommand } from '../lib/psql.ts'
import { localFunctions } from '../lib/shell.ts'
import type { Paths } from '../params.ts'

interface SynchronousReplicationParams {
  /** Commits wait until one of these hosts has them on disk. Empty: they wait for none. */
  readonly replicas: readonly { readonly name: string }[]
  readonly paths: Paths
}

interface Found {
  readonly names: string
  readonly marked: boolean
  readonly streaming: boolean
}

/**
 * Commits wait until a replica has them on disk. This starts once a replica streams. A run never ends it, because continuing without a
 * replica is a decision of the user.
 *
 * The cluster stores it as a setting of the database `postgres`. So a replica without its primary knows if it has all acknowledged writes. The
 * setting is made after the waiting starts and removed before it ends.
 */
export const synchronousReplication = resource<SynchronousReplicationParams, Found | undefined>(
  'synchronous replication',
  {
    id: ({ replicas }) => (replicas.length > 0 ? `to ${replicas.map(({ name }) => name).join(', ')}` : 'off'),
    affects: 'itself',
    read: ({ replicas }) =>
      queryRow<Found>(
        `select current_setting('synchronous_standby_names') as names,
         coalesce(current_setting('provision.synchronous', true), '') = 'on' as marked,
         exists (select from pg_stat_replication where state = 'streaming'
           and application_name in (${['', ...replicas.map(({ name }) => name)].map(literal).join(', ')})) as streaming`,
      ),
    diff: ({ replicas }, have) => {
      const names = standbyNames(replicas)
      if (names !== '' && have && !have.streaming) return undefined
      const difference = compare(
        { 'commits wait for': names || 'none', stored: names !== '' },
        have && { 'commits wait for': have.names || 'none', stored: have.marked },
      )
      return difference
    },
    apply: ({ replicas, paths }): readonly Command[] => {
      const names = standbyNames(replicas)
      const waits = { script: activate(paths, names), timeout: '1m' } as const
      return names === '' ? [unmarked, waits] : [waits, marked]
    },
  },
)

/** Returns the value of synchronous_standby_names. A replica's name is its cluster_name, the host's name. */
export function standbyNames(replicas: readonly { readonly name: string }[]): string {
  return replicas.length > 0 ? `ANY 1 (${replicas.map(({ name }) => `"${name}"`).join(', ')})` : ''
}

/** A file of its own, as the other settings are the same for a primary and a replica. */
export function synchronousConf({ config }: Pick<Paths, 'config'>): `/${string}` {
  return `${config}/conf.d/91-synchronous.conf`
}

const MARK = 'alter database postgres set provision.synchronous'

const marked = sqlCommand('postgres', `${MARK} = 'on'`)

const unmarked = sqlCommand('postgres', `alter database postgres reset provision.synchronous`)

function activate(paths: Paths, names: string): Shell {
  const conf = synchronousConf(paths)
  const text = `# Written by provision, once a replica streamed.\nsynchronous_standby_names = '${names}'\n`
  const written =
    names === ''
      ? sh`rm -f ${conf}`
      : sh`printf %s ${text} > ${`${conf}.new`} && sync ${`${conf}.new`} && mv ${`${conf}.new`} ${conf}`
  return sh`${localFunctions(paths)}
${written} || exit 1
ask 'select pg_reload_conf()' >/dev/null || exit 1
n=0
until [ "$(ask 'show synchronous_standby_names')" = ${names} ]; do
  n=$((n + 1)); [ $n -lt 100 ] || { echo 'The server still uses the old synchronous_standby_names. Check files with a later name, and ALTER SYSTEM.' >&2; exit 1; }
  sleep 0.05
done`
}
