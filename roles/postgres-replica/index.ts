import { after, file, type Host, on, type RoleContext, role, type Secret, type Steps } from 'provision-ts'
import { PASSFILE } from '../postgres/files.ts'
import { conninfo, replicaData } from '../postgres/kinds/data.ts'
import { noSlots } from '../postgres/kinds/slot.ts'
import { postgresStreaming } from '../postgres/kinds/streaming.ts'
import { node } from '../postgres/node.ts'
import { PORT, type PostgresParams, pathsOf, REPLICATOR, slotOf } from '../postgres/params.ts'
import { place } from '../postgres/place.ts'

export { primaryOf } from '../postgres/cluster.ts'

export interface PostgresReplicaParams extends PostgresParams {
  /** The host to follow. It is asked what it has: only a copy of just that is started. */
  readonly primary: Host
}

/** A database host that follows the primary and answers reads. */
export const postgresReplica = role(
  'postgres-replica',
  (params: PostgresReplicaParams, { facts }: RoleContext): Steps => {
    const { name, primary, peers, passwords } = params
    const paths = pathsOf(params, facts)
    const slot = slotOf(params)
    return after(on(primary, place), (found) => [
      node(params, facts, {
        settings: { primary_conninfo: conninfo(primary.address), primary_slot_name: slot },
        before: file(PASSFILE, passfile(passwords.replication), { owner: 'postgres' }),
        data: replicaData({ host: name, paths, primary, found, slot }),
      }),
      noSlots({ names: [params, ...peers].map(slotOf) }),
      postgresStreaming({ from: primary.address, slot, log: paths.log }),
    ])
  },
)

/** For every address: which of the others is primary may change. */
function passfile(password: Secret): Secret {
  return password.map((text) => `*:${PORT}:replication:${REPLICATOR}:${text.replace(/[\\:]/g, '\\$&')}\n`)
}
