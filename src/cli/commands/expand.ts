import { expandWithoutHost, NeedsAnswers, RELEASES, type Release } from '../../engine/read/without-hosts.ts'
import type { Host } from '../../model/inventory/host.ts'
import type { Inventory } from '../../model/inventory/inventory.ts'
import type { Play } from '../../model/playbook/play.ts'
import type { Playbook } from '../../model/playbook/playbook.ts'
import type { Steps } from '../../model/playbook/steps.ts'
import { Problem, wrapErrors } from '../../model/problem.ts'

export interface Expansion {
  readonly problems: readonly Problem[]
  readonly steps: number
  /** What could not be looked at, and what holds on one release alone. */
  readonly notes: readonly string[]
}

/** The steps of every play for every host, as if it were new. A host has one release: steps that can be made for either are sound. */
export function expandPlaybook({ values }: Inventory, playbook: Playbook): Expansion {
  const plays = wrapErrors('the playbook', undefined, () => playbook.plays(values))
  const all = plays.map((play) => unfoldedPlay(play))
  return {
    problems: all.flatMap(({ problems }) => problems),
    steps: all.reduce((sum, { steps }) => sum + steps, 0),
    notes: [...new Set(all.flatMap(({ notes }) => notes))],
  }
}

function unfoldedPlay(play: Play): Expansion {
  const problems = new Map<string, Problem>()
  const notes: string[] = []
  let steps = 0
  for (const host of play.hosts) {
    try {
      const given = wrapErrors(`play "${play.label}" for ${host.name}`, play.source, () => play.steps(host))
      const tried = RELEASES.map((release) => attempt(given, host, release))
      steps += Math.max(0, ...tried.map((one) => one.steps))
      const [first] = tried.flatMap(({ problem }) => problem ?? [])
      if (tried.some(({ guess }) => guess))
        notes.push(`${play.label}: some of it hangs on what hosts answer, and was left out`)
      else if (first && tried.every(({ problem }) => problem)) problems.set(first.message, first)
      else if (first) notes.push(`${play.label}: ${first.message}`)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      problems.set(error.message, error)
    }
  }
  return { problems: [...problems.values()], steps, notes }
}

interface Attempt {
  readonly steps: number
  readonly problem?: Problem
  /** Whether answers would be needed that nobody can make up. */
  readonly guess: boolean
}

function attempt(steps: Steps, host: Host, release: Release): Attempt {
  try {
    const { steps: placed, incomplete } = expandWithoutHost(steps, host, release)
    return { steps: placed.length, guess: incomplete }
  } catch (error) {
    if (error instanceof NeedsAnswers) return { steps: 0, guess: true }
    if (error instanceof Problem) return { steps: 0, guess: false, problem: onRelease(error, host, release) }
    throw error
  }
}

function onRelease(
  { message, where, details, next, cause }: Problem,
  { name }: Host,
  { version }: Release,
): Problem {
  return new Problem(`${name} with Debian ${version}: ${message}`, {
    details,
    ...(where !== undefined && { where }),
    ...(next !== undefined && { next }),
    cause,
  })
}
