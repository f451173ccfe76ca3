import { createHash } from 'node:crypto'
import type { Host } from '../../model/inventory/host.ts'
import { Problem } from '../../model/problem.ts'
import type { PlayStates } from '../context.ts'
import type { StepState } from '../read/refresh.ts'

/** What a survey has found, in a form that can be kept: enough to tell later whether a host is still as it was. */
export interface PlanContent {
  readonly hosts: Readonly<Record<string, readonly StepRecord[]>>
}

interface StepRecord {
  readonly play: string
  readonly step: string
  /** What a run would do; absent when nothing. */
  readonly would?: string
  /** A digest of what was read and what of it would change. Short: it tells that something has moved, and no secret can be tried against it. */
  readonly seen: string
}

const DIGITS = 6

export function planFile(surveys: PlayStates): PlanContent {
  const hosts = [...surveys].map(([host, found]) => [
    host,
    found.flatMap(({ play, examined }) => examined.map((one) => stepRecord(play.label, one))),
  ])
  return { hosts: Object.fromEntries(hosts) }
}

/** What a survey is held against. */
export interface ExpectedPlan extends PlanContent {
  /** Whether only a part of it is to be carried out: what of it is left out now need not be as it was. @default false */
  readonly partly?: boolean
}

/**
 * Refuses to go on when a host, or what is wanted of it, is no longer as it was planned.
 *
 * @throws Problem that names what has moved
 */
export function assertUnchanged(
  { hosts: planned, partly = false }: ExpectedPlan,
  surveys: PlayStates,
  hosts: readonly Host[],
): void {
  const now = planFile(surveys).hosts
  const taking = Object.entries(planned).filter(
    ([host]) => !partly || hosts.some(({ name }) => name === host),
  )
  const moved = taking.flatMap(([host, steps]) => {
    const found = now[host]
    if (!found) return [`${host}: could not be read`]
    return movedOn(host, partly ? steps.filter((one) => isAmong(one, found)) : steps, found)
  })
  const added = Object.keys(now).filter((host) => !(host in planned))
  const all = [...moved, ...added.map((host) => `${host}: is not in the plan`)]
  if (all.length === 0) return
  throw new Problem('The hosts are no longer as they were planned, so nothing was changed.', {
    details: all.slice(0, SHOWN).concat(all.length > SHOWN ? [`… and ${all.length - SHOWN} more`] : []),
    next: 'Make the plan anew, read it, and apply that one.',
  })
}

const SHOWN = 20

function movedOn(
  host: string,
  planned: readonly StepRecord[],
  now: readonly StepRecord[],
): readonly string[] {
  const later = new Map(now.map((one) => [keyOf(one), one]))
  const gone = planned.flatMap((one) => {
    const found = later.get(keyOf(one))
    if (!found) return [`${host}: ${one.step} is no longer asked for`]
    return found.seen === one.seen ? [] : [`${host}: ${one.step} has changed since`]
  })
  const known = new Set(planned.map(keyOf))
  return [
    ...gone,
    ...now.filter((one) => !known.has(keyOf(one))).map(({ step }) => `${host}: ${step} is new`),
  ]
}

function isAmong(one: StepRecord, all: readonly StepRecord[]): boolean {
  return all.some((other) => keyOf(other) === keyOf(one))
}

function keyOf({ play, step }: StepRecord): string {
  return `${play}\n${step}`
}

function stepRecord(play: string, { placed: { step }, have, difference }: StepState): StepRecord {
  const told = {
    have,
    verb: difference?.action,
    fields: difference?.fields,
    parts: difference?.parts?.map((part) => [part.name, part.difference.fields]),
  }
  const seen = createHash('sha256').update(JSON.stringify(told, plainly)).digest('hex').slice(0, DIGITS)
  return { play, step: `${step.kind} ${step.name}`, ...(difference && { would: difference.action }), seen }
}

function plainly(_key: string, value: unknown): unknown {
  if (value instanceof Map || value instanceof Set) return [...value]
  return value
}
