import { type Command, InvalidArgumentError } from 'commander'
import type { Confirm } from '../engine/context.ts'
import type { SelectOptions } from '../engine/read/selection.ts'
import { Problem } from '../model/problem.ts'
import { describeDiff, stepTitle } from '../report/format.ts'
import { askLine } from './prompt.ts'

export interface SelectFlags {
  readonly tags?: readonly string[]
  readonly skipTags?: readonly string[]
  readonly startAt?: string
  readonly step?: boolean
}

/** The flags that say which steps of a playbook are taken. */
export function withSelectOptions(command: Command): Command {
  const words = (value: string, before: readonly string[] = []) => {
    const given = listOf(value)
    if (given.length === 0) throw new InvalidArgumentError('It names no tag.')
    return [...before, ...given]
  }
  return command
    .option('-t, --tags <words>', 'only steps that are tagged with one of these, apart by commas', words)
    .option('--skip-tags <words>', 'no steps that are tagged with one of these', words)
    .option('--start-at <step>', 'begin with this step: "file /etc/motd", or its name alone')
}

export function selectionOf({ tags, skipTags, startAt }: SelectFlags): SelectOptions {
  return {
    ...(tags && { tags }),
    ...(skipTags && { skipTags }),
    ...(startAt !== undefined && { startAt }),
  }
}

/** Asks the person at the terminal before each step. @throws Problem when there is none */
export function confirmSteps(): Confirm {
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new Problem('--step asks before each step, and there is no terminal to ask in', {
      next: 'Leave it away, or see with --check what a run would do.',
    })
  return confirmWith(askLine)
}

/** One question at a time, however many hosts are at work. After `all`, no further ones. */
export function confirmWith(ask: (question: string) => Promise<string>): Confirm {
  let last: Promise<unknown> = Promise.resolve()
  let all = false
  return (host, step, difference) => {
    const answer = last.then(async () => {
      while (!all) {
        const said = await ask(`${host}: ${stepTitle(step)}: ${describeDiff(difference)}? [y/n/all] `)
        if (/^y(es)?$/i.test(said)) return true
        if (/^n(o)?$/i.test(said)) return false
        all = /^a(ll)?$/i.test(said)
      }
      return true
    })
    last = answer.catch(() => {})
    return answer
  }
}

function listOf(value: string): readonly string[] {
  return value
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
}
