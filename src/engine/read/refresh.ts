import { type ExpandedStep, expand } from '../../model/playbook/expand.ts'
import type { Play } from '../../model/playbook/play.ts'
import type { Steps } from '../../model/playbook/steps.ts'
import { EndHost, InvalidParams, Problem } from '../../model/problem.ts'
import { type AnswerStore, QuestionRegistry } from '../../model/resource/answer-store.ts'
import type { Diff } from '../../model/resource/diff.ts'
import type { Ask } from '../../model/resource/question.ts'
import { mapRead, type Read, readAll } from '../../model/resource/read.ts'
import { catchFailures, ReadFailure } from '../../model/resource/read-failure.ts'
import { describeStep, interrupted } from '../errors/step-errors.ts'
import { readHost } from '../hosts/batch.ts'
import type { HostRun } from '../hosts/host-run.ts'
import { Changes } from './changes.ts'
import { assertNoConflicts } from './conflicts.ts'
import type { Selection } from './selection.ts'

/** A step as a host has it now. */
export interface StepState {
  readonly placed: ExpandedStep
  readonly have: unknown
  /** Undefined when the host is as the step wants it. */
  readonly difference: Diff | undefined
  /** The reason why the host cannot be brought to that state as it is now: a step before this one may change that. */
  readonly problem?: Problem
}

/** What one play would do on one host, and what that was concluded from. */
export interface PlayState {
  readonly play: Play
  readonly examined: readonly StepState[]
  readonly asks: readonly Ask[]
  readonly version: number
  readonly at: number
}

/** How an answer is had of any host; undefined of one that cannot be reached. */
export type AskQuestions = (asks: readonly Ask[]) => Promise<void>

export interface RefreshTools {
  readonly answers: AnswerStore
  readonly inquire: AskQuestions
  readonly selection: Selection
  readonly stop?: AbortSignal
}

/** What these plays would do on this host. One round trip for all of them, and one more for each depth of questions within roles. */
export async function refresh(
  member: HostRun,
  plays: readonly (readonly [Play, Steps])[],
  { answers, inquire, selection, stop }: RefreshTools,
): Promise<readonly PlayState[]> {
  const known = plays.map(() => new QuestionRegistry())
  const unfoldAll = () =>
    plays.map(([play, steps], i) =>
      expand(steps, {
        facts: member.facts,
        answers,
        runsOnce: selection.runsOnce(play, member.name),
        ...(known[i] && { questions: known[i] }),
      }),
    )
  let unfolded = unfoldAll()
  for (let depth = 0; unfolded.some(({ incomplete }) => incomplete); depth++) {
    const open = unfolded.flatMap(({ asks }) => asks.filter((one) => !answers.has(one)))
    if (depth >= DEEPEST) throw endless(member, open)
    if (stop?.aborted) throw interrupted(member)
    await inquire(open)
    unfolded = unfoldAll()
  }
  const kept = plays.map(([play], i) => selection.keep(play, unfolded[i]?.steps ?? []))
  await Promise.all(kept.flat().map(({ step }) => step.prepare?.()))
  const examined = await readHost(member.session, readAll(kept.map((steps) => readSteps(member, steps))))
  for (const own of examined) assertNoConflicts(member.name, own)
  const at = Date.now()
  return plays.map(([play], i) => ({
    play,
    examined: examined[i] ?? [],
    asks: unfolded[i]?.asks ?? [],
    version: member.version,
    at,
  }))
}

/** Answers that hang on answers, and so on. Nobody needs so many; a question that is another one each time has no end. */
const DEEPEST = 25

function endless({ name }: HostRun, open: readonly Ask[]): Problem {
  const { label = '', source } = open[0]?.question ?? {}
  return new Problem(`${name}: the question "${label}" is another one each time its steps are made`, {
    ...(source && { where: source }),
    next: 'Give the question the same label and the same script each time, or make it outside of the role.',
  })
}

/** One question for the state of all these steps. */
export function readSteps({ name }: HostRun, steps: readonly ExpandedStep[]): Read<readonly StepState[]> {
  return readAll(
    steps.map((placed) =>
      mapRead(catchFailures(placed.step.read), (have): StepState => {
        try {
          if (have instanceof ReadFailure) throw have.cause
          const difference = placed.step.diff(have)
          const problem = difference?.problem && problemOf(difference.problem, name, placed)
          return { placed, have, difference, ...(problem && { problem }) }
        } catch (error) {
          if (isForAll(error)) throw error
          return { placed, have, difference: undefined, problem: problemOf(error, name, placed) }
        }
      }),
    ),
  )
}

/** Whether it is about more than one step: the host is left out, or no host is changed. */
function isForAll(error: unknown): boolean {
  return error instanceof InvalidParams || error instanceof EndHost
}

function problemOf(error: unknown, host: string, placed: ExpandedStep): Problem {
  const { source } = placed.step
  const where = source && { where: source }
  if (error instanceof Problem) {
    const { message, details, next } = error
    return new Problem(`${host}: ${describeStep(placed)}: ${message}`, {
      ...where,
      details,
      ...(next && { next }),
      cause: error,
    })
  }
  const reason = error instanceof Error ? error.message : String(error)
  return new Problem(`${host}: ${describeStep(placed)} could not be compared: ${reason}`, {
    ...where,
    cause: error,
  })
}

/**
 * The first problem that no change before it on the host can solve.
 *
 * @param surveys in the order of the plays
 */
export function definiteProblem(
  host: string,
  surveys: readonly Pick<PlayState, 'examined'>[],
): Problem | undefined {
  const changes = new Changes(host)
  for (const { placed, difference, problem } of surveys.flatMap(({ examined }) => examined)) {
    const open = changes.mayAffect(placed.step.read)
    if (problem && !open) return problem
    // A run may find that an open step has something to do.
    if (difference || problem || open) changes.add(placed.step)
    // A handler runs before the next play, and may affect anything.
    if ((difference || open) && placed.step.notify.length > 0) changes.addAnything()
  }
  return undefined
}
