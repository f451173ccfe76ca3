import type { Problem } from '../model/problem.ts'
import type { PlacedStep } from '../model/steps.ts'
import { askHost } from './batch.ts'
import { Changes } from './changes.ts'
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
 * A step is read again when a change before it may affect its answer. Steps go together in one round trip up to the first that has to be
 * read again, and the same trip reads it and those after it. So a run costs a trip for each such step, not two for each step.
 *
 * @throws Problem for the step or handler that failed; what came before it stays done
 */
export async function converge({ examined }: Survey, turn: Turn): Promise<void> {
  const { member } = turn
  const steps: Known[] = (turn.confirm ? examined : gathered(examined)).map((one) => ({ one, stale: false }))
  const changed = new Set<PlacedStep>()
  let at = 0
  while (at < steps.length) {
    const first = steps[at]
    if (turn.stop.aborted && steps.slice(at).some(({ one }) => one.difference)) throw interrupted(member)
    if (turn.confirm && first && !first.stale && !(await isWanted(first.one, turn.confirm, member))) {
      steps.splice(at, 1)
      continue
    }
    if (first?.one.problem && !first.stale) throw impossible(first.one.placed, first.one.problem, turn)
    // A person is asked about a step when all before it is done.
    const end =
      turn.confirm && first && !first.stale ? at + 1 : segmentEnd(steps, { host: member.name, from: at })
    const segment = steps.slice(at, end).map(({ one }) => one)
    const made = new Changes(member.name)
    for (const { placed, difference } of segment) {
      if (!difference) continue
      made.add(placed.step)
      changed.add(placed)
    }
    const later = steps.slice(end)
    for (const each of later) each.stale ||= made.mayAffect(each.one.placed.step.read)
    const next = later
      .slice(0, segmentEnd(later, { host: member.name, foreseen: true }))
      .filter(({ stale }) => stale)
    const anew = await applySegment(
      segment,
      next.map(({ one }) => one.placed),
      turn,
    )
    for (const [i, one] of anew.entries()) Object.assign(next[i] ?? {}, { one, stale: false })
    at = end
  }
  const placed = steps.map(({ one }) => one.placed)
  await runHandlers(
    placed.map(({ step }) => step),
    new Set([...changed].map(({ step }) => step)),
    turn,
  )
  if (changed.size > 0) await prove(placed, changed, turn)
}

/** A step as it was read last. */
interface Known {
  one: Examined
  /** Whether it has to be read again before it is acted on. */
  stale: boolean
}

async function isWanted(one: Examined, confirm: Confirm, { name }: Member): Promise<boolean> {
  return !one.difference || (await confirm(name, stepInfo(one.placed), one.difference))
}

/**
 * The place of the first step that has to be read again, or the end. Steps that are done together with the one that has a far-reaching
 * change do not part.
 *
 * @param how.foreseen whether what is stale now will have been read by then
 */
function segmentEnd(
  steps: readonly Known[],
  {
    host,
    from = 0,
    foreseen = false,
  }: { readonly host: string; readonly from?: number; readonly foreseen?: boolean },
): number {
  const changes = new Changes(host)
  let leader: Examined | undefined
  for (const [at, { one, stale }] of steps.entries()) {
    if (at < from) continue
    if (stale && !foreseen) return at
    if (one.problem && at > from) return at
    if (leader ? !isPooled(leader, one) : changes.mayAffect(one.placed.step.read)) return at
    if (!one.difference) continue
    changes.add(one.placed.step)
    if (one.placed.step.affects === 'host') leader = one
  }
  return steps.length
}

/** Reports a step that the host cannot be brought to. */
function impossible(
  placed: PlacedStep,
  problem: Problem,
  { member, emit, play }: Pick<Turn, 'member' | 'emit' | 'play'>,
): Problem {
  emit({ kind: 'step', play, host: member.name, step: stepInfo(placed), outcome: 'failed', problem })
  return problem
}

/** Reads everything again: a step that still differs did not do what it said. */
async function prove(
  steps: readonly PlacedStep[],
  changed: ReadonlySet<PlacedStep>,
  { member, emit, play }: Turn,
): Promise<void> {
  const again = await askHost(member.session, examine(member, steps))
  const broken = again.find(({ problem }) => problem)
  if (broken?.problem) throw impossible(broken.placed, broken.problem, { member, emit, play })
  const still = again.find(({ difference }) => difference)
  if (!still?.difference) return
  const problem = notConverged(member, still.placed, still.difference, { applied: changed.has(still.placed) })
  emit({ kind: 'step', play, host: member.name, step: stepInfo(still.placed), outcome: 'failed', problem })
  throw problem
}
