import { type RoleContext, role, type Steps } from 'provision-ts'
import { type PostgresParams, type PostgresReplicationParams, pathsOf } from './params.ts'
import { replicaFollowing } from './resources/replica-following.ts'
import { packages } from './resources/server.ts'
import { synchronousReplication } from './resources/synchronous-replication.ts'

export { clusterState } from './lib/cluster-state.ts'
export { primaryOf } from './lib/primary.ts'
export type { PostgresParams, PostgresReplicationParams } from './params.ts'

/**
 * The packages. `postgres-primary` and `postgres-replica` install them too; in a play of its own, this role installs them on all hosts at
 * the same time, which halves a first run.
 */
export const postgresPackages = role('postgres-packages', (params: Pick<PostgresParams, 'version'>, { facts }) =>
  packages(pathsOf(params, facts)),
)

/** Replication as the primary sees it. Its play comes after that of the replicas. */
export const postgresReplication = role(
  'postgres-replication',
  ({ replicas, synchronous, ...params }: PostgresReplicationParams, { facts }: RoleContext): Steps => [
    replicas.map(({ name }) => replicaFollowing({ name })),
    synchronous && synchronousReplication({ replicas: synchronous, paths: pathsOf(params, facts) }),
  ],
)
