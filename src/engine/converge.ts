import type { PlacedStep } from '../model/steps.ts'
import { askHost } from './batch.ts'
import { interrupted, notConverged } from './failures.ts'
import { gathered, isPooled } from './gather.ts'
import { runHandlers } from './handlers.ts'
import type { Member } from './member.ts'
import { applySegment } from './segment.ts'
import { type Examined, examine, type Survey } from './survey.ts'
import { type Confirm, stepInfo, type Turn } from './turn.ts'

/**
 * Brings one host to the state that one play wants, then reads it again to prove it.
 *
 * Steps that change nothing but themselves go together in one round trip, up to the first whose change may reach others;
 * the same trip reads the steps after it anew. So a first run costs a trip for each far-reaching step, not two for each step.
 *
 * @throws Problem for the step or handler that failed; what came before it stays done
 */
export async function converge({ examined }: Survey, turn: Turn): Promise<void> {
  const { member } = turn
  const steps = turn.confirm ? [...examined] : [...gathered(examined)]
  const changed = new Set<PlacedStep>()
  let at = 0
  let fresh = steps.length
  while (at < steps.length) {
    if (turn.stop.aborted && steps.slice(at).some(({ difference }) => difference)) throw interrupted(member)
    if (at >= fresh) {
      fresh = segmentEnd(steps, at)
      renew(steps, at, await askHost(member.session, examine(member, placed(steps, at, fresh))))
    }
    if (turn.confirm && !(await isWanted(steps[at], turn.confirm, member))) {
      steps.splice(at, 1)
      fresh--
      continue
    }
    // A person is asked about a step when all before it is done.
    const end = turn.confirm ? at + 1 : Math.min(segmentEnd(steps, at), fresh)
    const segment = steps.slice(at, end)
    const reaches = segment.some(isFarReaching)
    const nextEnd = reaches ? segmentEnd(steps, end) : end
    const next = await applySegment(segment, placed(steps, end, nextEnd), turn)
    for (const one of segment) if (one.difference) changed.add(one.placed)
    if (reaches) {
      renew(steps, end, next)
      fresh = nextEnd
    }
    at = end
  }
  await runHandlers(
    steps.map((one) => one.placed.step),
    new Set([...changed].map(({ step }) => step)),
    turn,
  )
  if (changed.size > 0) await prove(placed(steps, 0, steps.length), turn)
}

async function isWanted(one: Examined | undefined, confirm: Confirm, { name }: Member): Promise<boolean> {
  return !one?.difference || (await confirm(name, stepInfo(one.placed), one.difference))
}

/** The place after the first far-reaching step that has something to do, and those that are done with it; or after the last step. */
function segmentEnd(steps: readonly Examined[], from: number): number {
  const barrier = steps.findIndex((one, i) => i >= from && isFarReaching(one))
  const first = steps[barrier]
  if (!first) return steps.length
  const after = steps.findIndex((one, i) => i > barrier && !isPooled(first, one))
  return after === -1 ? steps.length : after
}

function isFarReaching({ placed, difference }: Examined): boolean {
  return difference !== undefined && placed.step.reach === 'host'
}

function placed(steps: readonly Examined[], from: number, to: number): readonly PlacedStep[] {
  return steps.slice(from, to).map((one) => one.placed)
}

function renew(steps: Examined[], at: number, anew: readonly Examined[]): void {
  steps.splice(at, anew.length, ...anew)
}

/** Reads everything again: a step that still differs did not do what it said. */
async function prove(steps: readonly PlacedStep[], { member, emit, play }: Turn): Promise<void> {
  const again = await askHost(member.session, examine(member, steps))
  const still = again.find(({ difference }) => difference)
  if (!still?.difference) return
  const problem = notConverged(member, still.placed, still.difference)
  emit({ kind: 'step', play, host: member.name, step: stepInfo(still.placed), outcome: 'failed', problem })
  throw problem
}
