import {
  absent,
  after,
  askHost,
  type Facts,
  file,
  pkg,
  type RoleContext,
  role,
  type Step,
  type Steps,
  service,
} from 'provision-ts'
import { applyConfiguration } from './lib/activation.ts'
import { clusterState } from './lib/cluster-state.ts'
import { PASSFILE, TRUSTED } from './lib/files.ts'
import { type PrimaryAddress, settingsOf } from './lib/settings.ts'
import {
  type Database,
  type Paths,
  type PostgresParams,
  type PostgresPrimaryParams,
  type PostgresReplicaParams,
  type PostgresReplicationParams,
  passfile,
  pathsOf,
  REPLICATOR,
  slotOf,
} from './params.ts'
import { configuration } from './resources/configuration.ts'
import { postgresConflicts } from './resources/conflicts.ts'
import { primaryData, replicaData } from './resources/data.ts'
import { postgresDatabase } from './resources/database.ts'
import { BOOT_GRACE, fence } from './resources/fence.ts'
import { replicaFollowing } from './resources/replica-following.ts'
import { noReplicationSlots, replicationSlot } from './resources/replication-slot.ts'
import { rewindRights } from './resources/rewind-rights.ts'
import { postgresRole } from './resources/role.ts'
import { postgresSchema } from './resources/schema.ts'
import { settingsActive } from './resources/settings-active.ts'
import { synchronousConf, synchronousReplication } from './resources/synchronous-replication.ts'
import { walReceiver } from './resources/wal-receiver.ts'

export { clusterState } from './lib/cluster-state.ts'
export { primaryOf } from './lib/primary.ts'
export type {
  PostgresParams,
  PostgresPrimaryParams,
  PostgresReplicaParams,
  PostgresReplicationParams,
} from './params.ts'

/**
 * The packages. Both other roles install them too; in a play of its own, this role installs them on all hosts at the same time, which
 * halves a first run.
 */
export const postgresPackages = role('postgres-packages', (params: Pick<PostgresParams, 'version'>, { facts }) =>
  packages(pathsOf(params, facts)),
)

/** The database host that takes writes. `primaryOf` returns it. */
export const postgresPrimary = role(
  'postgres-primary',
  (params: PostgresPrimaryParams, { facts }: RoleContext): Steps => {
    const { name, replicas, peers, databases, passwords, manager } = params
    const paths = pathsOf(params, facts)
    return [
      server(params, facts, { follows: peers[0], data: primaryData({ host: name, paths }) }),
      postgresRole({ name: REPLICATOR, password: passwords.replication, replication: true }),
      rewindRights({ role: REPLICATOR }),
      // Patroni creates and drops its own slots.
      manager !== 'patroni' && replicas.map((replica) => replicationSlot({ name: slotOf(replica) })),
      databases.map(contents),
    ]
  },
)

/** A database host that follows the primary and answers reads. */
export const postgresReplica = role(
  'postgres-replica',
  (params: PostgresReplicaParams, { facts }: RoleContext): Steps => {
    const { name, primary, peers, oldPrimary = 'refuse', manager } = params
    const paths = pathsOf(params, facts)
    const slot = slotOf(params)
    if (manager === 'patroni') return server(params, facts, { follows: primary, data: undefined })
    return after(askHost(primary, clusterState), (found) => [
      // A promoted replica must not wait for replicas that do not follow it yet.
      absent(synchronousConf(paths), { notify: applyConfiguration(paths) }),
      server(params, facts, {
        follows: primary,
        data: replicaData({ host: name, paths, primary, found, slot, oldPrimary }),
      }),
      noReplicationSlots({ names: [params, ...peers].map(slotOf) }),
      walReceiver({ from: primary.address, slot, log: paths.log }),
    ])
  },
)

/** Replication as the primary sees it. Its play comes after that of the replicas. */
export const postgresReplication = role(
  'postgres-replication',
  ({ replicas, synchronous, ...params }: PostgresReplicationParams, { facts }: RoleContext): Steps => [
    replicas.map(({ name }) => replicaFollowing({ name })),
    synchronous && synchronousReplication({ replicas: synchronous, paths: pathsOf(params, facts) }),
  ],
)

interface ServerParts {
  /** The host to follow. A primary has it too, so that a change of roles changes no file. */
  readonly follows: PrimaryAddress | undefined
  /** Creates the data directory; undefined where Patroni does. */
  readonly data: Step | undefined
}

/** The steps of primary and replica alike: installed, configured, running. */
function server(params: PostgresParams, facts: Facts, { follows, data }: ServerParts): Steps {
  const paths = pathsOf(params, facts)
  const { manager = 'systemd' } = params
  const bySystemd = manager === 'systemd'
  const settings = settingsOf(params, facts, bySystemd ? follows : undefined)
  return [
    postgresConflicts(paths, params),
    packages(paths),
    file(TRUSTED, params.authority),
    file(PASSFILE, passfile(params.passwords.replication), { owner: 'postgres' }),
    bySystemd && [
      fence({ paths, name: params.name, peers: params.peers, bootGrace: params.bootGrace ?? BOOT_GRACE }),
      data,
    ],
    // Patroni does not read it, and what it says does not stay true.
    !bySystemd && absent(synchronousConf(paths)),
    configuration({ ...params, paths, settings, manager }),
    bySystemd && service(paths.unit),
    settingsActive({ names: Object.keys(settings), apply: applyConfiguration(paths, manager) }),
  ]
}

function packages({ version }: Paths): Steps {
  return [
    // Before the package, whose installation would create a cluster otherwise.
    file('/etc/postgresql-common/createcluster.d/provision.conf', 'create_main_cluster = false\n'),
    pkg(`postgresql-${version}`),
  ]
}

function contents({ name, owner, user, password }: Database): Steps {
  return [
    postgresRole({ name: owner }),
    postgresRole({ name: user, password }),
    postgresDatabase({ name, users: [owner, user] }),
    postgresSchema({ database: name, name, owner, user }),
  ]
}
