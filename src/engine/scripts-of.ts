import type { Command } from '../model/command.ts'
import type { Result } from '../transport/session/session.ts'
import { isPooled } from './gather.ts'
import { hearing } from './hearing.ts'
import { owe, paid } from './owed.ts'
import type { RoutedScript } from './routed.ts'
import type { Examined } from './survey.ts'
import { asScript, type Turn } from './turn.ts'

/** A script and the steps that it belongs to. */
export interface Owned {
  readonly script: RoutedScript
  /** More than one where they are done together. */
  readonly steps: Steps
  readonly explain: Command['explain']
  /** What it said last. */
  readonly said: () => string | undefined
  /** The exit status with which it failed and left all as it was. */
  readonly undone?: number
  /** Ends what it has begun when it was ended from outside. */
  readonly rescue?: RoutedScript
}

/** The scripts of these steps, and to which each belongs. */
export function scriptsOf(todo: readonly Examined[], turn: Turn): readonly Owned[] {
  return together(todo).flatMap((steps) => {
    const [first] = steps
    const settles = steps.flatMap(({ placed }) => placed.step.satisfies)
    const debts = [...steps.flatMap(({ placed }) => placed.step.notify), ...settles]
    const own = (script: RoutedScript, command?: Command): Owned => {
      const heard = command?.reportsProgress ? hearing(first, turn) : undefined
      return {
        script: { ...script, ...(heard && { hear: heard.hear }) },
        steps,
        explain: command?.explain,
        said: () => heard?.last(),
        ...(command?.rolledBackStatus !== undefined && { undone: command.rolledBackStatus }),
        ...(command?.rollback && {
          rescue: asScript({ script: command.rollback, ...(command.on && { on: command.on }) }),
        }),
      }
    }
    return [
      ...(debts.length > 0 ? [own({ script: owe(debts) })] : []),
      ...commandsOf(steps).map((command) => own(asScript(command), command)),
      ...settles.map((handler) => own({ script: paid(handler) })),
    ]
  })
}

type Steps = readonly [Examined, ...Examined[]]

/** Steps that are done in one go, side by side. */
function together(todo: readonly Examined[]): readonly Steps[] {
  const groups: [Examined, ...Examined[]][] = []
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
function added({ placed, have }: Examined): readonly string[] {
  return placed.step.pool?.items(have) ?? []
}

/** Of steps that failed together the one that the words are about; the first when they tell of none. */
export function guilty(steps: Steps, { stderr }: Result): Examined {
  const words = new Set(stderr.toString().split(/[\s',]+/))
  return steps.find((step) => added(step).some((word) => words.has(word))) ?? steps[0]
}
