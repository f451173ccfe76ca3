import type { Answers } from '../model/answers.ts'
import type { Ask } from '../model/ask.ts'
import type { Difference } from '../model/difference.ts'
import type { Play } from '../model/play.ts'
import { Problem } from '../model/problem.ts'
import { mapRead, type Read, readAll } from '../model/read.ts'
import { Spoilt, spared } from '../model/spared.ts'
import { type PlacedStep, type Steps, unfold } from '../model/steps.ts'
import { askHost } from './batch.ts'
import type { Member } from './member.ts'
import type { Selection } from './selection.ts'

/** A step as a host has it now. */
export interface Examined {
  readonly placed: PlacedStep
  readonly have: unknown
  /** Undefined when the host is as the step wants it. */
  readonly difference: Difference | undefined
}

/** What one play would do on one host, and what that was concluded from. */
export interface Survey {
  readonly play: Play
  readonly examined: readonly Examined[]
  readonly asks: readonly Ask[]
  readonly version: number
  readonly at: number
}

/** How an answer is had of any host; undefined of one that cannot be reached. */
export type Inquire = (asks: readonly Ask[]) => Promise<void>

export interface SurveyTools {
  readonly answers: Answers
  readonly inquire: Inquire
  readonly selection: Selection
}

/** What these plays would do on this host. One round trip for all of them, and one more for each depth of questions within roles. */
export async function survey(
  member: Member,
  plays: readonly (readonly [Play, Steps])[],
  { answers, inquire, selection }: SurveyTools,
): Promise<readonly Survey[]> {
  const unfoldAll = () =>
    plays.map(([play, steps]) =>
      unfold(steps, { facts: member.facts, answers, takesOnce: selection.takesOnce(play, member.name) }),
    )
  let unfolded = unfoldAll()
  while (unfolded.some(({ incomplete }) => incomplete)) {
    await inquire(unfolded.flatMap(({ asks }) => asks.filter((one) => !answers.has(one))))
    unfolded = unfoldAll()
  }
  const kept = plays.map(([play], i) => selection.keep(play, unfolded[i]?.steps ?? []))
  await Promise.all(kept.flat().map(({ step }) => step.prepare?.()))
  const examined = await askHost(member.session, readAll(kept.map((steps) => examine(member, steps))))
  const at = Date.now()
  return plays.map(([play], i) => ({
    play,
    examined: examined[i] ?? [],
    asks: unfolded[i]?.asks ?? [],
    version: member.version,
    at,
  }))
}

/** One question for the state of all these steps. */
export function examine({ name }: Member, steps: readonly PlacedStep[]): Read<readonly Examined[]> {
  return readAll(
    steps.map((placed) =>
      mapRead(spared(placed.step.read), (have): Examined => {
        try {
          if (have instanceof Spoilt) throw have.cause
          return { placed, have, difference: placed.step.diff(have) }
        } catch (error) {
          if (error instanceof Problem) throw error
          const { kind, name: what } = placed.step
          throw new Problem(
            `${name}: ${kind} ${what} could not be compared: ${error instanceof Error ? error.message : String(error)}`,
            { cause: error },
          )
        }
      }),
    ),
  )
}
