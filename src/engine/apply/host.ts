import { stepInfo } from '../../model/playbook/expand.ts'
import type { ExpandedStep } from '../../model/playbook/steps.ts'
import { type Problem, wrapErrors } from '../../model/problem.ts'
import type { Confirm, HostTurn } from '../context.ts'
import { describeStep, interrupted, notConverged } from '../errors/step-errors.ts'
import { readHost } from '../hosts/batch.ts'
import type { HostRun } from '../hosts/host-run.ts'
import { Changes } from '../read/changes.ts'
import { readSteps } from '../read/refresh.ts'
import type { StepState } from '../read/step-state.ts'
import { dueHandlers } from './due-handlers.ts'
import { runHandlers } from './handlers.ts'
import { groupPackages, isPooled } from './package-pool.ts'
import { Slot } from './slot.ts'
import { applySteps } from './steps.ts'

/**
 * Applies the steps of a play on a host, runs the handlers, then reads everything again to verify it. Policies are checked and the host is
 * drained before the first change.
 *
 * A step is read again if an earlier change may affect its answer. One round trip applies all steps up to the first that has to be read
 * again, and reads that one and those after it. So a run makes one round trip for each such step, instead of two for each step.
 *
 * @throws Problem for the step or handler that failed; earlier changes are kept
 */
export async function applyPlay(states: readonly StepState[], turn: HostTurn): Promise<void> {
  const slot = new Slot(turn)
  try {
    await applyTurn(states, turn, slot)
  } finally {
    slot.leave()
  }
}

async function applyTurn(states: readonly StepState[], turn: HostTurn, slot: Slot): Promise<void> {
  const { hostRun, confirm, drain, stop, review } = turn
  const steps: TrackedStep[] = (confirm ? states : groupPackages(states)).map(tracked)
  const changed = new Set<ExpandedStep>()
  /** The index of the first step whose handlers have not run. */
  let flushed = 0
  let at = 0
  const runDue = async (end: number): Promise<boolean> => {
    const own = steps.slice(flushed, end).map(({ state }) => state.expanded.step)
    const due = dueHandlers(own, new Set([...changed].map(({ step }) => step)), hostRun.pendingHandlers)
    flushed = end
    if (due.length === 0) return false
    await drain?.start()
    await runHandlers(due, turn)
    return true
  }
  while (at < steps.length) {
    const first = steps[at]
    if (stop.aborted && steps.slice(at).some(({ state }) => state.difference)) throw interrupted(hostRun)
    review(
      steps.map(({ state }) => state),
      ({ expanded, difference }) => difference !== undefined && changed.has(expanded),
    )
    if (first?.state.expanded.step.flushesHandlers) {
      steps.splice(at, 1)
      if (await runDue(at)) for (const one of steps.slice(at)) one.isStale = true
      continue
    }
    const isCurrent = first && !first.isStale
    if (isCurrent && !first.state.problem && (await slot.enter(first.state))) {
      first.isStale = true
      continue
    }
    if (isCurrent && confirm && !(await isConfirmed(first.state, confirm, hostRun))) {
      steps.splice(at, 1)
      continue
    }
    if (isCurrent && first.state.problem) {
      const problem = reportFailed(first.state.expanded, first.state.problem, turn)
      if (first.state.expanded.step.allowedFailure === undefined) throw problem
      first.hasFailed = true
      at++
      continue
    }
    // With confirmation, all earlier steps are done before the next question.
    const end = isCurrent && confirm ? at + 1 : segmentEnd(steps, { host: hostRun.name, from: at })
    const segment = steps.slice(at, end).map(({ state }) => state)
    const changes = new Changes(hostRun.name)
    for (const { expanded, difference } of segment) {
      if (!difference) continue
      changes.add(expanded.step)
      changed.add(expanded)
    }
    const later = steps.slice(end)
    for (const one of later) one.isStale ||= changes.mayAffect(one.state.expanded.step.read)
    const next = later
      .slice(0, segmentEnd(later, { host: hostRun.name, willBeRead: true }))
      .filter(({ isStale }) => isStale)
    if (!changes.isEmpty) await drain?.start()
    const applied = await applySteps(
      segment,
      next.map(({ state }) => state.expanded),
      turn,
    )
    if (isCurrent) slot.leave()
    at = end
    if (!applied) {
      for (const one of steps.slice(at - 1, at)) one.hasFailed = true
      for (const { expanded } of segment) changed.delete(expanded)
      continue
    }
    for (const [i, state] of applied.next.entries()) Object.assign(next[i] ?? {}, { state, isStale: false })
    steps.splice(at, 0, ...(await stepsFrom(segment, applied.output, turn)).map(tracked))
  }
  await runDue(steps.length)
  const left = steps.filter(({ hasFailed }) => !hasFailed).map(({ state }) => state.expanded)
  if (changed.size > 0) await verifyApplied(left, changed, turn)
}

interface TrackedStep {
  /** As it was read last. */
  state: StepState
  /** True if it must be read again before it is applied. */
  isStale: boolean
  /** True after a failure that is allowed. */
  hasFailed: boolean
}

function tracked(state: StepState): TrackedStep {
  return { state, isStale: false, hasFailed: false }
}

/** Reads the steps that the output of a command decides. */
async function stepsFrom(
  segment: readonly StepState[],
  output: string,
  { readMore }: HostTurn,
): Promise<readonly StepState[]> {
  const [first] = segment
  if (!first?.difference || !first.expanded.more) return []
  const { more, roles, tags, step } = first.expanded
  const made = wrapErrors(`the steps from the output of ${describeStep(first.expanded)}`, step.source, () =>
    more(output),
  )
  const states = await readMore(made)
  return states.map((state) => ({
    ...state,
    expanded: {
      ...state.expanded,
      roles: [...roles, ...state.expanded.roles],
      tags: [...tags, ...state.expanded.tags],
    },
  }))
}

/** True for a step that no other step is applied with. */
function isAlone({ difference, expanded: { step, more } }: StepState): boolean {
  return (
    difference !== undefined && (step.allowedFailure !== undefined || step.throttle !== undefined || more !== undefined)
  )
}

async function isConfirmed({ difference, expanded }: StepState, confirm: Confirm, { name }: HostRun): Promise<boolean> {
  return !difference || (await confirm(name, stepInfo(expanded), difference))
}

interface SegmentOptions {
  readonly host: string
  /** The index of the first step. @default 0 */
  readonly from?: number
  /** True if stale steps are read before. @default false */
  readonly willBeRead?: boolean
}

/** The index of the first step that must be read again, or the end. Steps of one pool stay together. */
function segmentEnd(steps: readonly TrackedStep[], { host, from = 0, willBeRead = false }: SegmentOptions): number {
  const changes = new Changes(host)
  let leader: StepState | undefined
  for (const [at, { state, isStale }] of steps.entries()) {
    if (at < from) continue
    const { step } = state.expanded
    if (step.flushesHandlers || (isStale && !willBeRead)) return at
    if (!willBeRead && isAlone(state)) return at === from ? at + 1 : at
    if (state.problem && at > from) return at
    if (leader ? !isPooled(leader, state) : changes.mayAffect(step.read)) return at
    if (!state.difference) continue
    changes.add(step)
    if (step.affects === 'host') leader = state
  }
  return steps.length
}

/** Emits the failure of a step that cannot be applied, or that was applied without effect. */
function reportFailed(expanded: ExpandedStep, problem: Problem, { hostRun, emit, play }: HostTurn): Problem {
  const { allowedFailure: reason } = expanded.step
  const about = { kind: 'step', play, host: hostRun.name, step: stepInfo(expanded) } as const
  emit(
    reason === undefined ? { ...about, outcome: 'failed', problem } : { ...about, outcome: 'allowed', problem, reason },
  )
  return problem
}

/** Reads all steps again. @throws Problem for a step that still differs */
async function verifyApplied(
  steps: readonly ExpandedStep[],
  changed: ReadonlySet<ExpandedStep>,
  turn: HostTurn,
): Promise<void> {
  const { hostRun } = turn
  const states = await readHost(hostRun.session, readSteps(hostRun, steps))
  for (const { expanded, problem: found, difference } of states) {
    const problem =
      found ?? (difference && notConverged(hostRun, expanded, difference, { applied: changed.has(expanded) }))
    if (problem) reportFailed(expanded, problem, turn)
    if (problem && expanded.step.allowedFailure === undefined) throw problem
  }
}
