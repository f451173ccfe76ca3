import { directory, dropIn, pkg, type RoleContext, role, type Steps } from 'provision-ts'
import { noConflicts } from '../base/resources/conflicts.ts'
import { limitsFor } from '../postgres/lib/settings.ts'
import { pathsOf } from '../postgres/params.ts'
import { CONFIG, dynamicOf, type PatroniParams, REST, REST_PORT, refuseTimes, SCOPE } from './params.ts'
import { configuredByPatroni, leadsCluster, managedByPatroni } from './resources/adopted.ts'
import { patroniCluster } from './resources/cluster.ts'
import { configuration, restProgram, serverDropIn } from './resources/configuration.ts'
import { dynamicConfiguration } from './resources/dynamic.ts'
import { forgottenCluster } from './resources/forgotten.ts'
import { givenBack, pausedCluster, withoutNote } from './resources/given-back.ts'
import { limitsInForce } from './resources/limits.ts'
import { databaseCopy, stoppedMember } from './resources/moved.ts'
import { recentPatroni } from './resources/version.ts'

export { type PatroniParams, REST_PORT, type Synchronous } from './params.ts'

/** Patroni of Debian 12 is too old, so there another source of packages has to have it. */
const SYSTEMS = ['debian 12', 'debian 13']

/** The packages only, on all hosts at the same time. Refuses a host whose Patroni would be too old, before any host is changed. */
export const patroniPackages = role('patroni-packages', (_params: object) => packages(), { os: SYSTEMS })

function packages(): Steps {
  return [recentPatroni({}), pkg('patroni', 'python3-etcd', 'curl')]
}

/** The files that Patroni needs on a database host. The server continues as before: {@link patroni} starts to manage it. */
export const patroniConfiguration = role(
  'patroni-configuration',
  (params: PatroniParams, { facts }: RoleContext): Steps => {
    const paths = pathsOf(params, facts)
    return [
      noConflicts({
        ...{ role: 'patroni', config: CONFIG, lines: '^(scope|name):', files: [REST] },
        ports: [{ address: params.address, port: REST_PORT, configured: `:${REST_PORT}` }],
        own: ['patroni', 'patroni.service', 'python3'],
      }),
      packages(),
      directory('/etc/patroni/tls'),
      restProgram(params.address),
      configuration(params, paths),
      dropIn(paths.unit, 'under-patroni', serverDropIn(paths)),
    ]
  },
  { os: SYSTEMS, check: refuseTimes },
)

export interface PatroniClusterParams extends PatroniParams {
  /** The system identifier of the primary's data; undefined while there are none. */
  readonly system: string | undefined
}

/** The cluster in etcd, paused: for the primary, before Patroni runs anywhere. */
export const patroniBeginning = role(
  'patroni-cluster',
  (params: PatroniClusterParams): Steps =>
    patroniCluster({ scope: params.scope ?? SCOPE, system: params.system, dynamic: dynamicOf(params) }),
)

export interface PatroniMemberParams extends Pick<PatroniParams, 'name' | 'version' | 'settings'> {
  /** True if this host is the primary. */
  readonly leader: boolean
  /** The hosts that Patroni must manage before it manages a primary. */
  readonly replicas: readonly { readonly name: string }[]
}

/** Patroni runs and manages the server. Replicas come first. */
export const patroni = role(
  'patroni',
  ({ leader, replicas, ...params }: PatroniMemberParams, { facts }: RoleContext): Steps => [
    managedByPatroni({ host: params.name, paths: pathsOf(params, facts), leader, replicas }),
    leader && [leadsCluster({ host: params.name }), withoutNote({})],
    limitsInForce({ wanted: limitsFor(params), which: leader ? 'all' : 'raised' }),
  ],
)

export interface WithoutPatroniParams extends Pick<PatroniParams, 'name' | 'version'> {
  /** The hosts of which one must have a write before it is acknowledged, when this one is the primary. */
  readonly synchronous: readonly { readonly name: string }[]
}

/** The pause comes first, on all hosts. */
export const patroniPause = role(
  'patroni-pause',
  ({ name }: { readonly name: string }): Steps => pausedCluster({ host: name }),
)

/** Patroni stops; the server keeps running, and systemd manages it. */
export const withoutPatroni = role(
  'without-patroni',
  ({ name, synchronous, ...params }: WithoutPatroniParams, { facts }: RoleContext): Steps =>
    givenBack({ host: name, paths: pathsOf(params, facts), synchronous }),
)

/** Copies the data of a replica again; the old data are kept. */
export const newCopy = role(
  'patroni-copy',
  ({ name, ...params }: Pick<PatroniParams, 'name' | 'version'>, { facts }: RoleContext): Steps =>
    databaseCopy({ host: name, data: pathsOf(params, facts).data }),
)

/** Stops a replica for a maintenance. The primary does not wait for it. */
export const patroniStopped = role(
  'patroni-stopped',
  ({ name }: { readonly name: string }): Steps => stoppedMember({ host: name }),
)

/** Deletes the state of the cluster from etcd, if no host has Patroni any more. */
export const noPatroniCluster = role(
  'no-patroni-cluster',
  ({ scope = SCOPE }: { readonly scope?: string }): Steps => forgottenCluster({ scope }),
)

/** For replicas, after their primary: a lower value is set there first. */
export const patroniReplica = role(
  'patroni-replica',
  ({ name, ...params }: Pick<PatroniParams, 'name' | 'version' | 'settings'>, { facts }: RoleContext): Steps => [
    configuredByPatroni({ host: name, paths: pathsOf(params, facts) }),
    limitsInForce({ wanted: limitsFor(params), which: 'all' }),
  ],
)

/** The common configuration of the cluster. Without `pause`, failover is automatic from here on. */
export const patroniSettings = role(
  'patroni-settings',
  ({ pause, ...params }: PatroniParams & { readonly pause: boolean }): Steps =>
    dynamicConfiguration({ wanted: { ...dynamicOf(params), pause: pause ? true : null } }),
)
