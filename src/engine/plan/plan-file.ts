import { createHash } from 'node:crypto'
import type { Host } from '../../model/inventory/host.ts'
import type { Inventory } from '../../model/inventory/inventory.ts'
import { Problem } from '../../model/problem.ts'
import type { PlayStates } from '../read/refresh.ts'
import { plainly, type StepState } from '../read/step-state.ts'

/** The state of the hosts in a plan, to find later whether a host has changed since. */
export interface PlanContent {
  /** The SHA-256 of the hosts and values of the inventory, without secrets. Undefined in plans of version 0.1.0. */
  readonly inventoryHash?: string
  readonly hosts: Readonly<Record<string, readonly StepRecord[]>>
}

interface StepRecord {
  readonly play: string
  readonly step: string
  /** The action of the plan; undefined for none. */
  readonly would?: string
  /** A digest of the state and of the change. It is short, so that no secret can be tested against it. */
  readonly seen: string
}

/** @param states with their digests */
export function planContent(states: PlayStates): PlanContent {
  const hosts = [...states].map(([host, own]) => [
    host,
    own.flatMap(({ play, steps }) => steps.map((state) => stepRecord(play.label, state))),
  ])
  return { hosts: Object.fromEntries(hosts) }
}

/** The plan that a run must match. */
export interface ExpectedPlan extends PlanContent {
  /** True if only a part of it is applied; the rest may have changed. @default false */
  readonly partly?: boolean
}

/** The SHA-256 of the hosts and values of an inventory. A secret counts as a secret, whatever its value is. */
export function hashOfInventory({ values }: Pick<Inventory, 'values'>): string {
  return createHash('sha256').update(JSON.stringify(values, sorted)).digest('hex')
}

/** The same text for equal objects, whatever the order of their keys is. */
function sorted(key: string, value: unknown): unknown {
  const plainValue = plainly(key, value)
  if (typeof plainValue !== 'object' || plainValue === null || Array.isArray(plainValue)) return plainValue
  return Object.fromEntries(Object.entries(plainValue).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** @throws Problem if the plan was made for other hosts or values */
export function assertSameInventory({ inventoryHash }: ExpectedPlan, inventory: Pick<Inventory, 'values'>): void {
  if (inventoryHash === undefined || inventoryHash === hashOfInventory(inventory)) return
  throw new Problem('The plan was made for another inventory: its hosts or values differ', {
    next: 'Make the plan again, read it, and apply that one. Nothing was changed.',
  })
}

/** @throws Problem that lists what has changed since the plan */
export function assertUnchanged(
  { hosts: planned, partly = false }: ExpectedPlan,
  states: PlayStates,
  hosts: readonly Host[],
): void {
  const now = planContent(states).hosts
  const own = Object.entries(planned).filter(([host]) => !partly || hosts.some(({ name }) => name === host))
  const changed = own.flatMap(([host, steps]) => {
    const found = now[host]
    if (!found) return [`${host}: could not be read`]
    return changesOn(host, partly ? steps.filter((one) => isAmong(one, found)) : steps, found)
  })
  const added = Object.keys(now).filter((host) => !(host in planned))
  const all = [...changed, ...added.map((host) => `${host}: is not in the plan`)]
  if (all.length === 0) return
  throw new Problem('The hosts are no longer as they were planned, so nothing was changed.', {
    details: all.slice(0, SHOWN).concat(all.length > SHOWN ? [`… and ${all.length - SHOWN} more`] : []),
    next: 'Make the plan again, read it, and apply that one.',
  })
}

const SHOWN = 20

function changesOn(host: string, planned: readonly StepRecord[], now: readonly StepRecord[]): readonly string[] {
  const later = new Map(now.map((one) => [keyOf(one), one]))
  const changed = planned.flatMap((one) => {
    const found = later.get(keyOf(one))
    if (!found) return [`${host}: ${one.step} is no longer asked for`]
    return found.seen === one.seen ? [] : [`${host}: ${one.step} has changed since`]
  })
  const added = now.filter((one) => !isAmong(one, planned)).map(({ step }) => `${host}: ${step} is new`)
  return [...changed, ...added]
}

function isAmong(one: StepRecord, all: readonly StepRecord[]): boolean {
  return all.some((other) => keyOf(other) === keyOf(one))
}

function keyOf({ play, step }: StepRecord): string {
  return `${play}\n${step}`
}

function stepRecord(play: string, { expanded: { step }, difference, seen = '' }: StepState): StepRecord {
  return { play, step: `${step.kind} ${step.name}`, ...(difference && { would: difference.action }), seen }
}
