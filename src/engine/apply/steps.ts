import type { StepOutcome } from '../../model/event.ts'
import { clearHandler, recordHandlers } from '../../model/host-state.ts'
import { stepInfo } from '../../model/playbook/expand.ts'
import type { ExpandedStep } from '../../model/playbook/steps.ts'
import type { Command } from '../../model/resource/command.ts'
import { readAll } from '../../model/resource/read.ts'
import type { Result } from '../../transport/session/session.ts'
import type { HostTurn } from '../context.ts'
import { type Failure, failedStep, firstFailure, interrupted } from '../errors/step-errors.ts'
import { batch, readHost } from '../hosts/batch.ts'
import type { HostRun } from '../hosts/host-run.ts'
import { type HostScript, hostScript } from '../hosts/scripts.ts'
import { readSteps } from '../read/refresh.ts'
import type { StepState } from '../read/step-state.ts'
import { announceReboots, reportProgress } from './handlers.ts'
import { isPooled } from './package-pool.ts'

/** The result of steps that were applied. */
interface Applied {
  /** The next steps as they are after the changes. */
  readonly next: readonly StepState[]
  /** The standard output of the commands. */
  readonly output: string
}

/**
 * Applies these steps and reads the next ones, in one round trip.
 *
 * @returns undefined after a failure that is allowed; then nothing was read
 * @throws Problem for the first step that failed
 */
export async function applySteps(
  segment: readonly StepState[],
  next: readonly ExpandedStep[],
  turn: HostTurn,
): Promise<Applied | undefined> {
  const { hostRun, emit, play, stop } = turn
  const differing = segment.filter(({ difference }) => difference)
  const before = turn.diff ? await fetchTexts(differing, hostRun) : new Map<StepState, readonly string[]>()
  const owned = stepScripts(differing, turn)
  const scripts = owned.map(({ script }) => script)
  const reading = batch(readSteps(hostRun, next))
  if (differing.length > 0) {
    const steps = differing.map(({ expanded }) => stepInfo(expanded))
    emit({ kind: 'applying', play, host: hostRun.name, steps })
    hostRun.startChange()
  }
  announceReboots(scripts, turn)
  const reported = new Set<StepState>()
  const done = new Set<StepScript>()
  const report = (state: StepState, outcome: StepOutcome) => {
    reported.add(state)
    emit({ kind: 'step', play, host: hostRun.name, step: stepInfo(state.expanded), ...outcome })
  }
  const reportDone = (state: StepState) => {
    const { step } = state.expanded
    if (state.difference) {
      hostRun.handlersNotified(step.notify)
      hostRun.handlersDone(step.satisfies)
    }
    report(state, outcomeOf(state, before.get(state)))
  }
  /** Reports steps during the trip, as soon as they and the steps before them are done. */
  const advance = () => {
    for (const state of segment) {
      if (reported.has(state)) continue
      if (owned.some((one) => one.steps.includes(state) && !done.has(one))) return
      reportDone(state)
    }
  }
  const watched = owned.map(
    (one): HostScript => ({ ...one.script, onDone: ({ code }) => code === 0 && done.add(one) && advance() }),
  )
  const all = [...watched, ...reading.scripts]
  const results = all.length === 0 ? [] : await hostRun.session.run(all, { stopAtFailure: true, stop })
  const failed = firstFailure(scripts, results)
  const failing = failed && owned[failed.at]
  const { failure, isRolledBack } = await rollBack(failed, failing, hostRun)
  for (const state of segment) {
    if (reported.has(state)) continue
    if (!failure || !failing?.steps.includes(state)) {
      reportDone(state)
      continue
    }
    if (failure.result.skipped && stop.aborted) throw interrupted(hostRun)
    const culprit = culpritOf(failing.steps, failure.result)
    const problem = failedStep(hostRun, culprit.expanded, {
      ...failure,
      explain: failing.explain,
      lastProgress: failing.lastProgress(),
    })
    const { allowedFailure: reason } = culprit.expanded.step
    report(culprit, reason === undefined ? { outcome: 'failed', problem } : { outcome: 'allowed', problem, reason })
    if (isRolledBack || reason !== undefined) await clearOwnHandlers(culprit, hostRun)
    if (reason !== undefined) return undefined
    throw problem
  }
  if (results.some(({ skipped }) => skipped)) throw interrupted(hostRun)
  const output = results.slice(0, scripts.length).map(({ stdout }) => stdout.toString())
  return { next: reading.value(results.slice(scripts.length)), output: output.join('') }
}

function outcomeOf({ difference }: StepState, before: readonly string[] | undefined): StepOutcome {
  if (!difference) return { outcome: 'ok' }
  return { outcome: 'changed', difference, ...(before !== undefined && { before }) }
}

/** Steps of one pool, which are applied together, or one step. */
type StepGroup = readonly [StepState, ...StepState[]]

/** A script and its steps. */
interface StepScript {
  readonly script: HostScript
  readonly steps: StepGroup
  readonly explain: Command['explain']
  readonly lastProgress: () => string | undefined
  /** The exit status that means: it failed, and everything is as before. */
  readonly rolledBackStatus?: number
  /** Rolls back a script that was killed. */
  readonly rollback?: HostScript
}

function stepScripts(differing: readonly StepState[], turn: HostTurn): readonly StepScript[] {
  return stepGroups(differing).flatMap((steps) => {
    const [first] = steps
    const satisfied = steps.flatMap(({ expanded }) => expanded.step.satisfies)
    const handlers = [...steps.flatMap(({ expanded }) => expanded.step.notify), ...satisfied]
    const own = (script: HostScript, command?: Command): StepScript => {
      const progress = command?.reportsProgress ? reportProgress(first, turn) : undefined
      return {
        script: { ...script, ...(progress && { onProgress: progress.hear }) },
        steps,
        explain: command?.explain,
        lastProgress: () => progress?.last(),
        ...(command?.rolledBackStatus !== undefined && { rolledBackStatus: command.rolledBackStatus }),
        ...(command?.rollback && {
          rollback: hostScript({ script: command.rollback, ...(command.on && { on: command.on }) }),
        }),
      }
    }
    return [
      ...(handlers.length > 0 ? [own({ script: recordHandlers(handlers) })] : []),
      ...commandsOf(steps).map((command) => own(hostScript(command), command)),
      ...satisfied.map((handler) => own({ script: clearHandler(handler) })),
    ]
  })
}

function stepGroups(differing: readonly StepState[]): readonly StepGroup[] {
  const groups: [StepState, ...StepState[]][] = []
  for (const one of differing) {
    const last = groups.at(-1)
    if (last && isPooled(last[0], one)) last.push(one)
    else groups.push([one])
  }
  return groups
}

function commandsOf(steps: StepGroup): readonly Command[] {
  const [{ expanded, have }, ...others] = steps
  const { pool } = expanded.step
  if (!pool || others.length === 0) return expanded.step.apply(have)
  return pool.apply([...new Set(steps.flatMap(pooledItems))])
}

function pooledItems({ expanded, have }: StepState): readonly string[] {
  return expanded.step.pool?.items(have) ?? []
}

/** The step of a failed group that the error output names, otherwise the first. */
function culpritOf(steps: StepGroup, { stderr }: Result): StepState {
  const words = new Set(stderr.toString().split(/[\s',]+/))
  return steps.find((step) => pooledItems(step).some((item) => words.has(item))) ?? steps[0]
}

/** Rolls back a script that was killed at once: the next run may be days away. */
async function rollBack(
  failure: Failure | undefined,
  failing: StepScript | undefined,
  { session }: HostRun,
): Promise<{ readonly failure: Failure | undefined; readonly isRolledBack: boolean }> {
  const status = failing?.rolledBackStatus
  if (!failure || status === undefined) return { failure, isRolledBack: false }
  if (failure.result.code === status || !failing?.rollback)
    return { failure, isRolledBack: failure.result.code === status }
  const [rollback] = await session.run([failing.rollback])
  const stderr = Buffer.concat([failure.result.stderr, rollback?.stderr ?? Buffer.alloc(0)])
  return { failure: { ...failure, result: { ...failure.result, stderr } }, isRolledBack: rollback?.code === status }
}

/** Clears the handlers of a step that was rolled back, except for those that were pending before. */
async function clearOwnHandlers(
  { expanded: { step } }: StepState,
  { session, pendingHandlers }: HostRun,
): Promise<void> {
  const own = [...step.notify, ...step.satisfies].filter(({ name }) => !pendingHandlers.has(name))
  if (own.length > 0) await session.run(own.map((handler) => ({ script: clearHandler(handler) })))
}

/** Reads the texts that these steps change. */
export async function fetchTexts(
  steps: readonly StepState[],
  { session }: HostRun,
): Promise<ReadonlyMap<StepState, readonly string[]>> {
  const shown = steps.filter(({ difference }) => difference?.texts)
  const texts = await readHost(
    session,
    readAll(shown.map(({ difference }) => readAll((difference?.texts ?? []).map(({ before }) => before)))),
  )
  return new Map(shown.map((one, i) => [one, texts[i] ?? []]))
}
