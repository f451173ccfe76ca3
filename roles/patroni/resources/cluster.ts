import { Problem, read, resource, sh } from 'provision-ts'
import { CONTROL } from '../../etcd/params.ts'
import { type Dynamic, NAMESPACE } from '../params.ts'

interface ClusterParams {
  readonly scope: string
  /** The system identifier of the database; undefined while there is none. */
  readonly system: string | undefined
  /** The initial configuration of the cluster. */
  readonly dynamic: Dynamic
}

interface Found {
  /** Undefined when etcd does not answer, as before it is there. */
  readonly answered: boolean
  readonly initialize: string | undefined
}

/**
 * The cluster as etcd knows it. It begins paused, so nothing is promoted before all hosts take part, and strict, so that commits go on
 * waiting for a replica at every moment in between. With the system identifier in it, Patroni can be started on a replica first.
 */
export const patroniCluster = resource<ClusterParams, Found>('patroni cluster', {
  id: ({ scope }) => scope,
  affects: 'itself',
  read: ({ scope }) =>
    read(
      sh`key=${`${NAMESPACE}${scope}/initialize`}
[ ! -x ${CONTROL} ] || { said=$(${CONTROL} get --print-value-only "$key" 2>/dev/null) && echo "answered $said"; }`,
      ({ stdout }) => ({
        answered: stdout.startsWith('answered'),
        initialize: /^answered (\S+)/.exec(stdout)?.[1],
      }),
      { fakeValue: () => ({ answered: false, initialize: undefined }) },
    ),
  diff: ({ scope, system }, { initialize }) => {
    if (initialize === undefined) return { action: 'create', fields: [{ name: 'paused', to: 'true' }] }
    if (system !== undefined && initialize !== system)
      throw new Problem(`etcd has the state of another database under the name ${scope}`, {
        details: [`The system there is ${initialize}, the one of this site is ${system}.`],
        next: `Nothing was changed. If the other database is gone for good, on an etcd host: provision-etcdctl del --prefix ${NAMESPACE}${scope}/`,
      })
    return undefined
  },
  apply: ({ scope, system, dynamic }) => {
    const key = `${NAMESPACE}${scope}`
    const config = { ...withoutNulls(dynamic), pause: true, synchronous_mode_strict: true }
    return [
      sh`system=${system ?? ''}
[ "$system" ] || system=$(for data in /var/lib/postgresql/*/main; do /usr/lib/postgresql/*/bin/pg_controldata "$data" 2>/dev/null; done | sed -n 's/^Database system identifier: *//p')
[ "$system" ] || { echo 'There is no database on this host.' >&2; exit 1; }
printf %s ${JSON.stringify(config)} | ${CONTROL} put ${`${key}/config`} >/dev/null &&
  ${CONTROL} put ${`${key}/initialize`} "$system" >/dev/null`,
    ]
  },
})

function withoutNulls(values: Dynamic): Dynamic {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null))
}
