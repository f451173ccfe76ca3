import type { StepOutcome } from '../../model/event.ts'
import { clearHandler, recordHandlers } from '../../model/host-state.ts'
import { type ExpandedStep, stepInfo } from '../../model/playbook/expand.ts'
import type { Command } from '../../model/resource/command.ts'
import { readAll } from '../../model/resource/read.ts'
import type { Result } from '../../transport/session/session.ts'
import type { HostTurn } from '../context.ts'
import { type Failure, failedStep, firstFailure, interrupted } from '../errors/step-errors.ts'
import { batch, readHost } from '../hosts/batch.ts'
import type { HostRun } from '../hosts/host-run.ts'
import { type HostScript, hostScript } from '../hosts/scripts.ts'
import { readSteps, type StepState } from '../read/refresh.ts'
import { isPooled } from './package-pool.ts'
import { announceReboots, reportProgress } from './progress.ts'

/**
 * Does what these steps need and reads the ones that come next, in one round trip.
 *
 * @returns the next steps as they are after the changes
 * @throws Problem for the first step that failed
 */
export async function applySteps(
  segment: readonly StepState[],
  next: readonly ExpandedStep[],
  turn: HostTurn,
): Promise<readonly StepState[]> {
  const { member, emit, play } = turn
  const todo = segment.filter(({ difference }) => difference)
  if (todo.length > 0) await turn.begin()
  const before = turn.diff ? await fetchTexts(todo, member) : new Map<StepState, readonly string[]>()
  const owned = stepScripts(todo, turn)
  const scripts = owned.map(({ script }) => script)
  const reading = batch(readSteps(member, next))
  if (todo.length > 0) {
    emit({ kind: 'applying', play, host: member.name, steps: todo.map(({ placed }) => stepInfo(placed)) })
    member.version++
  }
  announceReboots(scripts, turn)
  const told = new Set<StepState>()
  const done = new Set<StepScript>()
  const tell = (one: StepState) => {
    told.add(one)
    const outcome = outcomeOf(one, before.get(one))
    member[outcome.outcome]++
    if (outcome.outcome === 'changed') {
      for (const { name } of one.placed.step.notify) member.owed.add(name)
      for (const { name } of one.placed.step.satisfies) member.owed.delete(name)
    }
    emit({ kind: 'step', play, host: member.name, step: stepInfo(one.placed), ...outcome })
  }
  /** Steps are reported as soon as they and those before them are done, while the trip goes on. */
  const advance = () => {
    for (const one of segment) {
      if (told.has(one)) continue
      if (owned.some((each) => each.steps.includes(one) && !done.has(each))) return
      tell(one)
    }
  }
  const all = [...owned.map((one) => watched(one, () => done.add(one) && advance())), ...reading.scripts]
  const results =
    all.length === 0 ? [] : await member.session.run(all, { stopAtFailure: true, stop: turn.stop })
  const failed = firstFailure(scripts, results)
  const failing = failed && owned[failed.at]
  const { failure, undone } = await rolledBack(failed, failing, member)
  for (const each of segment) {
    if (told.has(each)) continue
    const owner = failing?.steps.includes(each) ? failing : undefined
    if (!owner || !failure) {
      tell(each)
      continue
    }
    if (failure.result.skipped && turn.stop.aborted) throw interrupted(member)
    const one = culprit(owner.steps, failure.result)
    const problem = failedStep(member, one.placed, {
      ...failure,
      explain: owner.explain,
      said: owner.said(),
    })
    emit({
      kind: 'step',
      play,
      host: member.name,
      step: stepInfo(one.placed),
      outcome: 'failed',
      problem,
    })
    if (undone) await clearOwnHandlers(one, member)
    throw problem
  }
  if (results.some(({ skipped }) => skipped)) throw interrupted(member)
  return reading.value(results.slice(scripts.length))
}

/** Its script, which says when it has ended well. */
function watched({ script }: StepScript, done: () => void): HostScript {
  return { ...script, onDone: ({ code }) => code === 0 && done() }
}

function outcomeOf(
  { difference }: StepState,
  before: readonly string[] | undefined,
): Extract<StepOutcome, { readonly outcome: 'ok' | 'changed' }> {
  if (!difference) return { outcome: 'ok' }
  return { outcome: 'changed', difference, ...(before !== undefined && { before }) }
}

/** What was ended from outside is taken back at once, as nobody knows when the next run will be. */
async function rolledBack(
  failure: Failure | undefined,
  failing: StepScript | undefined,
  { session }: HostRun,
): Promise<{ readonly failure: Failure | undefined; readonly undone: boolean }> {
  if (!failure || failing?.undone === undefined || failure.result.code === failing.undone || !failing.rescue)
    return { failure, undone: failure !== undefined && failure.result.code === failing?.undone }
  const [rescue] = await session.run([failing.rescue])
  const stderr = Buffer.concat([failure.result.stderr, rescue?.stderr ?? Buffer.alloc(0)])
  return {
    failure: { ...failure, result: { ...failure.result, stderr } },
    undone: rescue?.code === failing.undone,
  }
}

/** What a step owed for a change that it took back is not due; what others have left stays. */
async function clearOwnHandlers({ placed: { step } }: StepState, { session, owed }: HostRun): Promise<void> {
  const own = [...step.notify, ...step.satisfies].filter(({ name }) => !owed.has(name))
  if (own.length > 0) await session.run(own.map((handler) => ({ script: clearHandler(handler) })))
}

/** The texts of a host that are about to change. */
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

/** A script and the steps that it belongs to. */
export interface StepScript {
  readonly script: HostScript
  /** More than one where they are done together. */
  readonly steps: Steps
  readonly explain: Command['explain']
  /** What it said last. */
  readonly said: () => string | undefined
  /** The exit status with which it failed and left all as it was. */
  readonly undone?: number
  /** Ends what it has begun when it was ended from outside. */
  readonly rescue?: HostScript
}

/** The scripts of these steps, and to which each belongs. */
export function stepScripts(todo: readonly StepState[], turn: HostTurn): readonly StepScript[] {
  return together(todo).flatMap((steps) => {
    const [first] = steps
    const settles = steps.flatMap(({ placed }) => placed.step.satisfies)
    const debts = [...steps.flatMap(({ placed }) => placed.step.notify), ...settles]
    const own = (script: HostScript, command?: Command): StepScript => {
      const heard = command?.reportsProgress ? reportProgress(first, turn) : undefined
      return {
        script: { ...script, ...(heard && { onProgress: heard.hear }) },
        steps,
        explain: command?.explain,
        said: () => heard?.last(),
        ...(command?.rolledBackStatus !== undefined && { undone: command.rolledBackStatus }),
        ...(command?.rollback && {
          rescue: hostScript({ script: command.rollback, ...(command.on && { on: command.on }) }),
        }),
      }
    }
    return [
      ...(debts.length > 0 ? [own({ script: recordHandlers(debts) })] : []),
      ...commandsOf(steps).map((command) => own(hostScript(command), command)),
      ...settles.map((handler) => own({ script: clearHandler(handler) })),
    ]
  })
}

type Steps = readonly [StepState, ...StepState[]]

/** Steps that are done in one go, side by side. */
function together(todo: readonly StepState[]): readonly Steps[] {
  const groups: [StepState, ...StepState[]][] = []
  for (const one of todo) {
    const last = groups.at(-1)
    if (last && isPooled(last[0], one)) last.push(one)
    else groups.push([one])
  }
  return groups
}

function commandsOf(steps: Steps): readonly Command[] {
  const [{ placed, have }, ...others] = steps
  const { pool } = placed.step
  if (!pool || others.length === 0) return placed.step.apply(have)
  return pool.apply([...new Set(steps.flatMap(added))])
}

/** What a step adds to what is done together. */
function added({ placed, have }: StepState): readonly string[] {
  return placed.step.pool?.items(have) ?? []
}

/** Of steps that failed together the one that the words are about; the first when they tell of none. */
export function culprit(steps: Steps, { stderr }: Result): StepState {
  const words = new Set(stderr.toString().split(/[\s',]+/))
  return steps.find((step) => added(step).some((word) => words.has(word))) ?? steps[0]
}
