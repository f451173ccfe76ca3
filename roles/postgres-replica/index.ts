import { absent, after, askHost, type RoleContext, role, type Steps } from 'provision-ts'
import { applyConfiguration } from '../postgres/lib/activation.ts'
import { clusterState } from '../postgres/lib/cluster-state.ts'
import { pathsOf, slotOf } from '../postgres/params.ts'
import { server } from '../postgres/resources/server.ts'
import { synchronousConf } from '../postgres/resources/synchronous-replication.ts'
import type { PostgresReplicaParams } from './params.ts'
import { replicaData } from './resources/data.ts'
import { noReplicationSlots } from './resources/no-replication-slots.ts'
import { walReceiver } from './resources/wal-receiver.ts'

export { primaryOf } from '../postgres/lib/primary.ts'
export type { OldPrimaryAction, PostgresReplicaParams } from './params.ts'

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
