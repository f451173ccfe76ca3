import { type RoleContext, role, type Steps } from 'provision-ts'
import { type Database, pathsOf, REPLICATOR, slotOf } from '../postgres/params.ts'
import { server } from '../postgres/resources/server.ts'
import { postgresDatabase, postgresRole, postgresSchema } from '../postgres-databases.ts'
import type { PostgresPrimaryParams } from './params.ts'
import { primaryData } from './resources/data.ts'
import { replicationSlot } from './resources/replication-slot.ts'
import { rewindRights } from './resources/rewind-rights.ts'

export { primaryOf } from '../postgres/lib/primary.ts'
export type { PostgresPrimaryParams } from './params.ts'

/** The database host that takes writes. `primaryOf` returns it. */
export const postgresPrimary = role(
  'postgres-primary',
  (params: PostgresPrimaryParams, { facts }: RoleContext): Steps => {
    const { name, replicas, peers, databases, passwords, manager, monitor } = params
    const paths = pathsOf(params, facts)
    return [
      server(params, facts, { follows: peers[0], data: primaryData({ host: name, paths }) }),
      postgresRole(REPLICATOR, { password: passwords.replication, replication: true }),
      rewindRights({ role: REPLICATOR }),
      // Patroni creates and drops its own slots.
      manager !== 'patroni' && replicas.map((replica) => replicationSlot({ name: slotOf(replica) })),
      databases.map(contents),
      monitor !== undefined && postgresRole(monitor, { memberOf: ['pg_monitor'] }),
    ]
  },
)

function contents({ name, owner, user, password }: Database): Steps {
  return [
    owner !== user && postgresRole(owner),
    postgresRole(user, { password }),
    postgresDatabase(name, { users: owner === user ? [user] : [owner, user] }),
    postgresSchema(name, name, { owner, user }),
  ]
}
