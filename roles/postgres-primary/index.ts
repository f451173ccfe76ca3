import { type RoleContext, role, type Steps } from 'provision-ts'
import { primaryData } from '../postgres/kinds/data.ts'
import { postgresDatabase } from '../postgres/kinds/database.ts'
import { postgresRole } from '../postgres/kinds/role.ts'
import { postgresSchema } from '../postgres/kinds/schema.ts'
import { postgresSlot } from '../postgres/kinds/slot.ts'
import { node } from '../postgres/node.ts'
import { type Database, type PostgresParams, pathsOf, REPLICATOR, slotOf } from '../postgres/params.ts'

export { primaryOf } from '../postgres/cluster.ts'

export interface PostgresPrimaryParams extends PostgresParams {
  /** Hosts that follow this one. Each gets a slot. */
  readonly replicas: readonly { readonly name: string }[]
  /**
   * Whether a commit waits until one replica has it on its disk. With it no acknowledged write is lost with the primary; without
   * a replica that answers, writes wait. @default false
   */
  readonly synchronous?: boolean
}

/** The database host that takes writes: who that is, `primaryOf` finds out. */
export const postgresPrimary = role(
  'postgres-primary',
  (params: PostgresPrimaryParams, { facts }: RoleContext): Steps => {
    const { name, replicas, synchronous = false, databases, passwords } = params
    const paths = pathsOf(params, facts)
    const waits = synchronous && replicas.length > 0
    return [
      node(params, facts, {
        settings: waits ? { synchronous_standby_names: anyOf(replicas) } : {},
        data: primaryData({ host: name, paths }),
      }),
      postgresRole({ name: REPLICATOR, password: passwords.replication, replication: true }),
      replicas.map((replica) => postgresSlot({ name: slotOf(replica) })),
      databases.map(contents),
    ]
  },
)

function contents({ name, owner, password }: Database): Steps {
  return [
    postgresRole({ name: owner, password }),
    postgresDatabase({ name, user: owner }),
    postgresSchema({ database: name, name, owner }),
  ]
}

/** Replicas are known by their cluster_name, which is the host's name. */
function anyOf(replicas: readonly { readonly name: string }[]): string {
  return `ANY 1 (${replicas.map(({ name }) => `"${name}"`).join(', ')})`
}
