import { playBatches } from '../../model/playbook/batches.ts'
import type { ExpandedStep } from '../../model/playbook/steps.ts'
import type { Pool } from '../../model/resource/step.ts'
import type { RunContext } from '../context.ts'
import type { HostRun } from '../hosts/host-run.ts'
import type { PlayRun, PlayState } from '../read/refresh.ts'
import type { StepState } from '../read/step-state.ts'

/**
 * Orders the steps of a turn so that one apt run installs all packages: steps of the pool of the first one are moved next to it, where that
 * changes nothing else. Only steps after it move, and a plan shows those as not known, so the plan stays true.
 */
export function groupPackages(states: readonly StepState[]): readonly StepState[] {
  const first = states.findIndex(({ difference, expanded }) => difference && expanded.step.pool)
  const leader = states[first]
  if (!leader || poolOf(leader) === undefined) return states
  const joined: StepState[] = []
  const left: StepState[] = []
  for (const one of states.slice(first + 1)) {
    const joins = isPooled(leader, one) && left.every((before) => mayFollow(before, one))
    const into = joins ? joined : left
    into.push(one)
  }
  return [...states.slice(0, first + 1), ...joined, ...left]
}

/** True if the steps are applied together when they are neighbours. */
export function isPooled(a: StepState, b: StepState): boolean {
  const pool = poolOf(a)
  return pool !== undefined && pool === poolOf(b)
}

/** Undefined for a step that needs no change, or is applied alone. */
function poolOf({ difference, expanded: { step }, have }: StepState): string | undefined {
  return difference && step.pool?.items(have) ? step.pool.name : undefined
}

/**
 * True if a step may be applied after packages that come later in the play. The order within a role is kept, such as a file that an
 * installation reads, and so is the order of the play's own steps. Settings of apt and dpkg decide what can be installed.
 */
function mayFollow(one: StepState, packages: StepState): boolean {
  if (one.expanded.step.flushesHandlers) return false
  if (!one.difference) return true
  const canWait = one.expanded.step.canWaitForPackages || isPooled(one, packages)
  return canWait && roleOf(one) !== roleOf(packages) && !namesOf(one).some(isOfApt)
}

function roleOf({ expanded }: { readonly expanded: ExpandedStep }): string | undefined {
  return expanded.roles[0]
}

/** The names of the step and of its parts: their paths. */
function namesOf({ expanded, difference }: StepState): readonly string[] {
  return [expanded.step.name, ...(difference?.parts ?? []).map(({ name }) => name)]
}

function isOfApt(name: string): boolean {
  return /\/etc\/(apt|dpkg)\b/.test(name)
}

/**
 * Downloads the packages of all plays on the hosts that are not in the first batch, while that installs its own. A failure is ignored: the
 * installation downloads again.
 */
export async function prefetchPackages(
  playRuns: readonly PlayRun[],
  { hosts, hostRuns, states, confirm, stop }: RunContext,
): Promise<void> {
  if (confirm || stop.aborted) return
  const changes = ({ steps }: PlayState) => steps.some(({ difference }) => difference)
  const all = [...states.values()].flat()
  const first = playRuns.find(({ play }) => all.some((one) => one.play === play && changes(one)))
  const [batch = []] = first ? playBatches({ ...first.play, hosts: first.hosts }) : []
  const busy = new Set(batch.map(({ name }) => name))
  await Promise.allSettled(
    [...hostRuns.values()]
      .filter((one) => !one.problem && !busy.has(one.name) && !hosts.isReleased(one))
      .map((hostRun) => prefetch(hostRun, states.get(hostRun.name) ?? [])),
  )
}

async function prefetch({ session }: HostRun, states: readonly PlayState[]): Promise<void> {
  const needs = new Map<string, { readonly pool: Pool; readonly items: Set<string> }>()
  for (const { expanded, have, difference } of states.flatMap(({ steps }) => steps)) {
    const { pool } = expanded.step
    if (!difference || !pool) continue
    const need = needs.get(pool.name) ?? { pool, items: new Set() }
    needs.set(pool.name, need)
    for (const item of pool.items(have) ?? []) need.items.add(item)
  }
  const wanted = [...needs.values()].filter(({ items }) => items.size > 0)
  if (wanted.length === 0) return
  const { pid } = await session.opened
  await session.run(
    wanted.map(({ pool, items }) => ({ script: pool.prefetch([...items], pid), mode: 'isolated' as const })),
  )
}
