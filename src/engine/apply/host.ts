import { type ExpandedStep, stepInfo } from '../../model/playbook/expand.ts'
import type { Problem } from '../../model/problem.ts'
import type { Confirm, HostTurn } from '../context.ts'
import { interrupted, notConverged } from '../errors/step-errors.ts'
import { readHost } from '../hosts/batch.ts'
import type { HostRun } from '../hosts/host-run.ts'
import { Changes } from '../read/changes.ts'
import { type PlayState, readSteps, type StepState } from '../read/refresh.ts'
import { runHandlers } from './handlers.ts'
import { groupPackages, isPooled } from './package-pool.ts'
import { applySteps } from './steps.ts'

/**
 * Brings one host to the state that one play wants, then reads it again to prove it.
 *
 * A step is read again when a change before it may affect its answer. Steps go together in one round trip up to the first that has to be
 * read again, and the same trip reads it and those after it. So a run costs a trip for each such step, not two for each step.
 *
 * @throws Problem for the step or handler that failed; what came before it stays done
 */
export async function applyPlay({ examined }: PlayState, turn: HostTurn): Promise<void> {
  const { member } = turn
  const steps: TrackedStep[] = (turn.confirm ? examined : groupPackages(examined)).map((one) => ({
    one,
    stale: false,
  }))
  const changed = new Set<ExpandedStep>()
  let at = 0
  while (at < steps.length) {
    const first = steps[at]
    if (turn.stop.aborted && steps.slice(at).some(({ one }) => one.difference)) throw interrupted(member)
    if (turn.confirm && first && !first.stale && !(await isWanted(first.one, turn.confirm, member))) {
      steps.splice(at, 1)
      continue
    }
    if (first?.one.problem && !first.stale) throw reportFailed(first.one.placed, first.one.problem, turn)
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
    const anew = await applySteps(
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
  if (changed.size > 0) await verifyApplied(placed, changed, turn)
}

/** A step as it was read last. */
interface TrackedStep {
  one: StepState
  /** Whether it has to be read again before it is acted on. */
  stale: boolean
}

async function isWanted(one: StepState, confirm: Confirm, { name }: HostRun): Promise<boolean> {
  return !one.difference || (await confirm(name, stepInfo(one.placed), one.difference))
}

/**
 * The place of the first step that has to be read again, or the end. Steps that are done together with the one that has a far-reaching
 * change do not part.
 *
 * @param how.foreseen whether what is stale now will have been read by then
 */
function segmentEnd(
  steps: readonly TrackedStep[],
  {
    host,
    from = 0,
    foreseen = false,
  }: { readonly host: string; readonly from?: number; readonly foreseen?: boolean },
): number {
  const changes = new Changes(host)
  let leader: StepState | undefined
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
function reportFailed(
  placed: ExpandedStep,
  problem: Problem,
  { member, emit, play }: Pick<HostTurn, 'member' | 'emit' | 'play'>,
): Problem {
  emit({ kind: 'step', play, host: member.name, step: stepInfo(placed), outcome: 'failed', problem })
  return problem
}

/** Reads everything again: a step that still differs did not do what it said. */
async function verifyApplied(
  steps: readonly ExpandedStep[],
  changed: ReadonlySet<ExpandedStep>,
  { member, emit, play }: HostTurn,
): Promise<void> {
  const again = await readHost(member.session, readSteps(member, steps))
  const broken = again.find(({ problem }) => problem)
  if (broken?.problem) throw reportFailed(broken.placed, broken.problem, { member, emit, play })
  const still = again.find(({ difference }) => difference)
  if (!still?.difference) return
  const problem = notConverged(member, still.placed, still.difference, { applied: changed.has(still.placed) })
  emit({ kind: 'step', play, host: member.name, step: stepInfo(still.placed), outcome: 'failed', problem })
  throw problem
}
