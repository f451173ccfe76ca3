import { type Command, compare, resource, type Shell, sh } from 'provision-ts'
import { literal, queryRow, sqlCommand } from '../lib/psql.ts'
import { localFunctions } from '../lib/shell.ts'
import type { Paths } from '../params.ts'

export interface SynchronousReplicationParams {
  /** Hosts of which one must have a write before it is acknowledged; none for writes that wait for nobody. */
  readonly replicas: readonly { readonly name: string }[]
  readonly paths: Paths
}

interface Found {
  readonly names: string
  readonly marked: boolean
  readonly streaming: boolean
}

/**
 * Whether a commit waits until a replica has it on its disk. It begins to once a replica streams, and a run never ends it: what to do
 * without a replica is for people to say.
 *
 * The cluster itself keeps note of it in a setting of the database `postgres`, so that a replica knows, when its primary is gone,
 * whether it has all that was acknowledged. The note is made after the waiting began, and taken away before it ends.
 */
export const synchronousReplication = resource<SynchronousReplicationParams, Found | undefined>(
  'synchronous replication',
  {
    id: ({ replicas }) =>
      replicas.length > 0 ? `to ${replicas.map(({ name }) => name).join(', ')}` : 'of nobody',
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
        { 'writes wait for': names || 'nobody', noted: names !== '' },
        have && { 'writes wait for': have.names || 'nobody', noted: have.marked },
      )
      return difference
    },
    apply: ({ replicas, paths }): readonly Command[] => {
      const names = standbyNames(replicas)
      const waits = { script: inForce(paths, names), timeout: '1m' } as const
      return names === '' ? [unmarked, waits] : [waits, marked]
    },
  },
)

/** Replicas are known by their cluster_name, which is the host's name. */
export function standbyNames(replicas: readonly { readonly name: string }[]): string {
  return replicas.length > 0 ? `ANY 1 (${replicas.map(({ name }) => `"${name}"`).join(', ')})` : ''
}

/** In a file of its own: that of the other settings is the same for a primary and a replica. */
export function synchronousConf({ config }: Pick<Paths, 'config'>): `/${string}` {
  return `${config}/conf.d/91-synchronous.conf`
}

const MARK = 'alter database postgres set provision.synchronous'

const marked = sqlCommand('postgres', `${MARK} = 'on'`)

const unmarked = sqlCommand('postgres', `alter database postgres reset provision.synchronous`)

function inForce(paths: Paths, names: string): Shell {
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
  n=$((n + 1)); [ $n -lt 100 ] || { echo 'The server goes on with the old synchronous_standby_names; does a file with a later name, or ALTER SYSTEM, say otherwise?' >&2; exit 1; }
  sleep 0.05
done`
}
