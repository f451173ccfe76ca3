import { type Host, Problem } from 'provision-ts'
import type { ClusterState } from './cluster-state.ts'
import { type Known, uncertainty } from './known-record.ts'
import { findPrimary } from './primary.ts'

type Seeded = Host<{ readonly seed: boolean }>

/**
 * Chooses the primary that may acknowledge commits without a replica. A primary with older data than the newest record is refused: writes
 * of one of the two primaries would be lost. If the newest record is unknown, the user must accept data loss.
 */
export function choosePrimaryWithoutReplica<H extends Seeded>(
  {
    states,
    known,
  }: { readonly states: readonly { host: H; answer: ClusterState | undefined }[]; readonly known: Known },
  { acceptDataLoss }: { readonly acceptDataLoss: boolean },
): H | Problem {
  const primary = findPrimary(states, known)
  if (primary instanceof Problem) return primary
  const uncertain = uncertainty(known)
  if (uncertain === undefined || acceptDataLoss) return primary
  return new Problem(`Unknown: another host may have become the primary after ${primary.name}`, {
    details: [uncertain, `In that case its writes are not on ${primary.name}, and one of the two loses its writes.`],
    next: `Nothing was changed. Make one of ${known.silent.join(', ')} reachable and run the same command again. If you know that ${primary.name} was the last primary, add --accept-data-loss.`,
  })
}
