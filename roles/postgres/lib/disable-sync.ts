import { type Host, Problem } from 'provision-ts'
import type { ClusterState } from './cluster-state.ts'
import { type Known, unsureWords } from './known-record.ts'
import { primaryAmong } from './primary.ts'

type Seeded = Host<{ readonly seed: boolean }>

/**
 * Which primary may acknowledge commits without a replica. One whose data are older than the newest record may not: what a later primary
 * has acknowledged would be lost, or else what this one acknowledges from now on. Where the newest record is not known, a person has to say so.
 */
export function choosePrimaryWithoutReplica<H extends Seeded>(
  {
    places,
    known,
  }: { readonly places: readonly { host: H; answer: ClusterState | undefined }[]; readonly known: Known },
  { acceptDataLoss }: { readonly acceptDataLoss: boolean },
): H | Problem {
  const primary = primaryAmong(places, known)
  if (primary instanceof Problem) return primary
  const unsure = unsureWords(known)
  if (unsure === undefined || acceptDataLoss) return primary
  return new Problem(`Unknown: another host may have become the primary after ${primary.name}`, {
    details: [
      unsure,
      `If there is one, what it acknowledged is not on ${primary.name}, and one of the two loses its writes.`,
    ],
    next: `Nothing was changed. Bring back one of ${known.silent.join(', ')} and run the same command again. If you know that ${primary.name} was the last primary: the same command with --accept-data-loss.`,
  })
}
