import { absent, after, askHost, type Host, type RoleContext, role, type Steps } from 'provision-ts'
import { apply } from '../postgres/activation.ts'
import { replicaData } from '../postgres/kinds/data.ts'
import type { Former } from '../postgres/kinds/former.ts'
import { noSlots } from '../postgres/kinds/slot.ts'
import { postgresStreaming } from '../postgres/kinds/streaming.ts'
import { synchronousConf } from '../postgres/kinds/synchronous.ts'
import { node } from '../postgres/node.ts'
import { type PostgresParams, pathsOf, slotOf } from '../postgres/params.ts'
import { place } from '../postgres/place.ts'

export { primaryOf } from '../postgres/cluster.ts'

export interface PostgresReplicaParams extends PostgresParams {
  /** The host to follow. It is asked what it has: only a copy of just that is started. */
  readonly primary: Host
  /**
   * What becomes of data of a host that was a primary itself. `rewind`: what only it has is undone, and where that does not work they
   * are moved aside and a copy is taken; `copy`: the latter at once. Nothing is deleted. @default 'refuse'
   */
  readonly former?: Former
}

/** A database host that follows the primary and answers reads. */
export const postgresReplica = role(
  'postgres-replica',
  (params: PostgresReplicaParams, { facts }: RoleContext): Steps => {
    const { name, primary, peers, former = 'refuse', manager } = params
    const paths = pathsOf(params, facts)
    const slot = slotOf(params)
    if (manager === 'patroni') return node(params, facts, { follows: primary, data: undefined })
    return after(askHost(primary, place), (found) => [
      // Promoted, it would wait for replicas that do not follow it yet.
      absent(synchronousConf(paths), { notify: apply(paths) }),
      node(params, facts, {
        follows: primary,
        data: replicaData({ host: name, paths, primary, found, slot, former }),
      }),
      noSlots({ names: [params, ...peers].map(slotOf) }),
      postgresStreaming({ from: primary.address, slot, log: paths.log }),
    ])
  },
)
