import { expandWithoutHost } from '../engine/read/without-hosts.ts'
import type { Host } from '../model/inventory/host.ts'
import type { Inventory } from '../model/inventory/inventory.ts'
import type { Play } from '../model/playbook/play.ts'
import type { Playbook } from '../model/playbook/playbook.ts'
import type { Steps } from '../model/playbook/steps.ts'
import { Problem, wrapErrors } from '../model/problem.ts'
import { RELEASES, type Release } from '../model/resource/facts.ts'

export interface Expansion {
  readonly problems: readonly Problem[]
  readonly steps: number
  /** Skipped parts, and problems of a single Debian release. */
  readonly notes: readonly string[]
}

/** Expands all plays for all hosts as if the hosts were new. Steps are valid if they can be made for one of the releases. */
export function expandPlaybook({ values }: Inventory, playbook: Playbook): Expansion {
  const plays = wrapErrors('the playbook', undefined, () => playbook.plays(values)).map(expandPlay)
  return {
    problems: plays.flatMap(({ problems }) => problems),
    steps: plays.reduce((sum, { steps }) => sum + steps, 0),
    notes: [...new Set(plays.flatMap(({ notes }) => notes))],
  }
}

function expandPlay(play: Play): Expansion {
  const problems = new Map<string, Problem>()
  const notes: string[] = []
  let steps = 0
  for (const host of play.hosts) {
    try {
      const given = wrapErrors(`play "${play.label}" for ${host.name}`, play.source, () => play.steps(host))
      const attempts = RELEASES.map((release) => attempt(given, host, release))
      steps += Math.max(0, ...attempts.map((one) => one.steps))
      const [first] = attempts.flatMap(({ problem }) => problem ?? [])
      if (attempts.some(({ isPartial }) => isPartial))
        notes.push(`${play.label}: steps that depend on answers of hosts were skipped`)
      else if (first && attempts.every(({ problem }) => problem)) problems.set(first.message, first)
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
  /** True if some steps depend on answers of hosts. */
  readonly isPartial: boolean
}

function attempt(steps: Steps, host: Host, release: Release): Attempt {
  try {
    const expansion = expandWithoutHost(steps, host, release)
    return { steps: expansion?.steps.length ?? 0, isPartial: !expansion || expansion.incomplete }
  } catch (error) {
    if (error instanceof Problem) return { steps: 0, isPartial: false, problem: onRelease(error, host, release) }
    throw error
  }
}

function onRelease({ message, where, details, next, cause }: Problem, { name }: Host, { version }: Release): Problem {
  return new Problem(`${name} with Debian ${version}: ${message}`, {
    details,
    ...(where !== undefined && { where }),
    ...(next !== undefined && { next }),
    cause,
  })
}
