import { expandWithoutHost } from '../engine/read/without-hosts.ts'
import type { Host } from '../model/inventory/host.ts'
import { assertSchemaFits, type Inventory } from '../model/inventory/inventory.ts'
import type { Entries } from '../model/inventory/schema.ts'
import type { Play } from '../model/playbook/play.ts'
import type { FlagInput, Playbook } from '../model/playbook/playbook.ts'
import type { Steps } from '../model/playbook/steps.ts'
import { InvalidParams, Problem, wrapErrors } from '../model/problem.ts'
import { type OperatingSystem, RELEASES, systemTitle } from '../model/resource/facts.ts'
import { reviewNewHosts } from './policies.ts'

/** An inventory, or the function that an inventory file exports if its values take time. */
export type InventorySource<S extends Entries = Entries> = Inventory<S> | (() => Inventory<S> | Promise<Inventory<S>>)

export function loadInventory<S extends Entries>(source: InventorySource<S>): Promise<Inventory<S>> {
  return Promise.resolve(typeof source === 'function' ? source() : source)
}

/** A playbook and an inventory to validate. */
export interface ValidateRequest<S extends Entries = Entries> {
  readonly inventory: InventorySource<S>
  readonly playbook: Playbook<S>
  /** The options of the playbook: `{ release: 'v42' }`. @default none */
  readonly options?: FlagInput
}

/** The errors that were found without a host. */
export interface Validation {
  /** All errors found; empty if there are none. */
  readonly problems: readonly Problem[]
  /** The number of steps for new hosts. */
  readonly steps: number
  /** Skipped parts, and problems of a single Debian release. */
  readonly notes: readonly string[]
}

/**
 * Finds the errors of a playbook and an inventory that can be found without a host: values that do not fit the schema, and steps that
 * cannot be made for a new host. Steps are valid if they can be made for one of the supported releases.
 *
 * @example
 * const { problems } = await validate({ inventory: prod, playbook: sitePlaybook })
 * for (const { message } of problems) console.error(message)
 */
export async function validate<S extends Entries>({
  inventory: source,
  playbook,
  options = {},
}: ValidateRequest<S>): Promise<Validation> {
  try {
    const inventory = await loadInventory(source)
    assertSchemaFits(playbook, inventory)
    const plays = wrapErrors('the playbook', undefined, () => playbook.plays(inventory.values, options))
    const expanded = plays.map(expandPlay)
    const results = [...expanded, reviewNewHosts(inventory, plays)]
    return {
      problems: results.flatMap(({ problems }) => problems),
      steps: expanded.reduce((sum, { steps }) => sum + steps, 0),
      notes: [...new Set(results.flatMap(({ notes }) => notes))],
    }
  } catch (error) {
    if (error instanceof Problem) return { problems: [error], steps: 0, notes: [] }
    throw error
  }
}

function expandPlay(play: Play): Validation {
  const problems = new Map<string, Problem>()
  const notes: string[] = []
  let steps = 0
  for (const host of play.hosts) {
    try {
      const given = wrapErrors(`play "${play.label}" for ${host.name}`, play.source, () => play.steps(host))
      const attempts = attemptsOf(given, host)
      steps += Math.max(0, ...attempts.map((one) => one.steps))
      const [first] = attempts.flatMap(({ problem }) => problem ?? [])
      if (attempts.some(({ isPartial }) => isPartial))
        notes.push(`${play.label}: steps that depend on answers of hosts were skipped`)
      else if (first && attempts.every(({ problem }) => problem))
        problems.set(first.message, withOthers(first, attempts))
      else if (first) notes.push(`${play.label}: ${first.message}`)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      problems.set(error.message, error)
    }
  }
  return { problems: [...problems.values()], steps, notes }
}

/** The problem of the first release, with those of the systems that were tried because a role names them. */
function withOthers(first: Problem, attempts: readonly Attempt[]): Problem {
  const others = attempts.slice(RELEASES.length).flatMap(({ problem }) => problem?.message ?? [])
  if (others.length === 0) return first
  const { message, where, details, next, cause } = first
  return new Problem(message, {
    details: [...details, ...others],
    ...(where !== undefined && { where }),
    ...(next !== undefined && { next }),
    cause,
  })
}

/** Expands the steps for the releases of Debian, and for other systems that a role names if it rejects one of them. */
function attemptsOf(steps: Steps, host: Host): readonly Attempt[] {
  const systems = [...RELEASES]
  const attempts: Attempt[] = []
  for (const os of systems) {
    const made = attempt(steps, host, os)
    attempts.push(made)
    for (const name of made.systems ?? []) {
      const [id = '', version = ''] = name.split(' ')
      if (!systems.some((one) => one.id === id && (version === '' || one.version === version)))
        systems.push({ id, version, codename: '' })
    }
  }
  return attempts
}

interface Attempt {
  readonly steps: number
  readonly problem?: Problem
  /** The systems of which a role accepts one. */
  readonly systems?: readonly string[]
  /** True if some steps depend on answers of hosts. */
  readonly isPartial: boolean
}

function attempt(steps: Steps, host: Host, os: OperatingSystem): Attempt {
  try {
    const expansion = expandWithoutHost(steps, host, os)
    return { steps: expansion?.steps.length ?? 0, isPartial: !expansion || expansion.incomplete }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const systems = error instanceof InvalidParams ? error.systems : []
    return { steps: 0, isPartial: false, problem: onSystem(error, host, os), systems }
  }
}

function onSystem(
  { message, where, details, next, cause }: Problem,
  { name }: Host,
  { id, version }: OperatingSystem,
): Problem {
  const system = systemTitle(`${id} ${version}`.trim())
  return new Problem(`${name} with ${system}: ${message}`, {
    details,
    ...(where !== undefined && { where }),
    ...(next !== undefined && { next }),
    cause,
  })
}
