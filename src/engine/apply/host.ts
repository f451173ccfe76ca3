import { type ExpandedStep, stepInfo } from '../../model/playbook/expand.ts'
import type { Problem } from '../../model/problem.ts'
import type { Confirm, HostTurn } from '../context.ts'
import { interrupted, notConverged } from '../errors/step-errors.ts'
import { readHost } from '../hosts/batch.ts'
import type { HostRun } from '../hosts/host-run.ts'
import { Changes } from '../read/changes.ts'
import { readSteps } from '../read/refresh.ts'
import type { StepState } from '../read/step-state.ts'
import { dueHandlers, runHandlers } from './handlers.ts'
import { groupPackages, isPooled } from './package-pool.ts'
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
  const { hostRun, confirm, drain, stop, review } = turn
  const steps: TrackedStep[] = (confirm ? states : groupPackages(states)).map((state) => ({ state, isStale: false }))
  const changed = new Set<ExpandedStep>()
  let at = 0
  while (at < steps.length) {
    const first = steps[at]
    if (stop.aborted && steps.slice(at).some(({ state }) => state.difference)) throw interrupted(hostRun)
    review(
      steps.map(({ state }) => state),
      ({ expanded, difference }) => difference !== undefined && changed.has(expanded),
    )
    const isCurrent = first && !first.isStale
    if (isCurrent && confirm && !(await isConfirmed(first.state, confirm, hostRun))) {
      steps.splice(at, 1)
      continue
    }
    if (isCurrent && first.state.problem) throw reportFailed(first.state.expanded, first.state.problem, turn)
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
    const read = await applySteps(
      segment,
      next.map(({ state }) => state.expanded),
      turn,
    )
    for (const [i, state] of read.entries()) Object.assign(next[i] ?? {}, { state, isStale: false })
    at = end
  }
  const expanded = steps.map(({ state }) => state.expanded)
  const changedSteps = new Set([...changed].map(({ step }) => step))
  const due = dueHandlers(
    expanded.map(({ step }) => step),
    changedSteps,
    hostRun.pendingHandlers,
  )
  if (due.length > 0) {
    await drain?.start()
    await runHandlers(due, turn)
  }
  if (changed.size > 0) await verifyApplied(expanded, changed, turn)
}

interface TrackedStep {
  /** As it was read last. */
  state: StepState
  /** True if it must be read again before it is applied. */
  isStale: boolean
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
    if (isStale && !willBeRead) return at
    if (state.problem && at > from) return at
    if (leader ? !isPooled(leader, state) : changes.mayAffect(step.read)) return at
    if (!state.difference) continue
    changes.add(step)
    if (step.affects === 'host') leader = state
  }
  return steps.length
}

/** Emits the failure of a step that cannot be applied. */
function reportFailed(expanded: ExpandedStep, problem: Problem, { hostRun, emit, play }: HostTurn): Problem {
  emit({ kind: 'step', play, host: hostRun.name, step: stepInfo(expanded), outcome: 'failed', problem })
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
  const broken = states.find(({ problem }) => problem)
  if (broken?.problem) throw reportFailed(broken.expanded, broken.problem, turn)
  const differing = states.find(({ difference }) => difference)
  if (!differing?.difference) return
  const { expanded, difference } = differing
  const problem = notConverged(hostRun, expanded, difference, { applied: changed.has(expanded) })
  throw reportFailed(expanded, problem, turn)
}
