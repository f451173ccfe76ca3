import { type RoleContext, role, type Steps } from 'provision-ts'
import { primaryData } from '../postgres/kinds/data.ts'
import { postgresDatabase } from '../postgres/kinds/database.ts'
import { followed } from '../postgres/kinds/followed.ts'
import { rewindRights } from '../postgres/kinds/rewind-rights.ts'
import { postgresRole } from '../postgres/kinds/role.ts'
import { postgresSchema } from '../postgres/kinds/schema.ts'
import { postgresSlot } from '../postgres/kinds/slot.ts'
import { synchronousReplication } from '../postgres/kinds/synchronous.ts'
import { node } from '../postgres/node.ts'
import { type Database, type PostgresParams, pathsOf, REPLICATOR, slotOf } from '../postgres/params.ts'

export { primaryOf } from '../postgres/cluster.ts'

export interface PostgresPrimaryParams extends PostgresParams {
  /** Hosts that follow this one. Each gets a slot. */
  readonly replicas: readonly { readonly name: string }[]
}

/** The database host that takes writes: who that is, `primaryOf` finds out. */
export const postgresPrimary = role(
  'postgres-primary',
  (params: PostgresPrimaryParams, { facts }: RoleContext): Steps => {
    const { name, replicas, peers, databases, passwords, manager } = params
    const paths = pathsOf(params, facts)
    return [
      node(params, facts, { follows: peers[0], data: primaryData({ host: name, paths }) }),
      postgresRole({ name: REPLICATOR, password: passwords.replication, replication: true }),
      rewindRights({ role: REPLICATOR }),
      // Patroni makes and drops them by itself.
      manager !== 'patroni' && replicas.map((replica) => postgresSlot({ name: slotOf(replica) })),
      databases.map(contents),
    ]
  },
)

export interface PostgresReplicationParams extends Pick<PostgresParams, 'version'> {
  /** Hosts that are to follow, and can be reached. */
  readonly followers: readonly { readonly name: string }[]
  /**
   * Hosts of which one must have a write on its disk before it is acknowledged. It begins once one of them streams, and is never
   * ended but by an empty list: a primary that loses its replica lets writes wait. @default nothing is changed
   */
  readonly synchronous?: readonly { readonly name: string }[]
}

/** What a primary sees of its replicas, once they are there: for a play after that of the replicas. */
export const postgresReplication = role(
  'postgres-replication',
  ({ followers, synchronous, ...params }: PostgresReplicationParams, { facts }: RoleContext): Steps => [
    followers.map(({ name }) => followed({ name })),
    synchronous && synchronousReplication({ replicas: synchronous, paths: pathsOf(params, facts) }),
  ],
)

function contents({ name, owner, user, password }: Database): Steps {
  return [
    postgresRole({ name: owner }),
    postgresRole({ name: user, password }),
    postgresDatabase({ name, users: [owner, user] }),
    postgresSchema({ database: name, name, owner, user }),
  ]
}
