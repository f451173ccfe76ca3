import { atLeastOne, batches } from '../../model/playbook/batches.ts'
import type { ExpandedStep } from '../../model/playbook/expand.ts'
import type { Pool } from '../../model/resource/step.ts'
import type { PlayRun, RunContext } from '../context.ts'
import type { HostRun } from '../hosts/host-run.ts'
import type { PlayState, StepState } from '../read/refresh.ts'

/**
 * The steps of a host's turn in the order in which they are carried out: what can be done together with the first step of its pool
 * (packages, in one transaction) is put right behind it, where that comes to the same. Only what comes after that first step moves,
 * and a plan leaves all of that open, so it stays true.
 */
export function groupPackages(examined: readonly StepState[]): readonly StepState[] {
  const first = examined.findIndex(({ difference, placed }) => difference && placed.step.pool)
  const leader = examined[first]
  if (!leader || poolOf(leader) === undefined) return examined
  const joined: StepState[] = []
  const left: StepState[] = []
  for (const one of examined.slice(first + 1)) {
    const joins = isPooled(leader, one) && left.every((before) => mayFollow(before, one))
    const into = joins ? joined : left
    into.push(one)
  }
  return [...examined.slice(0, first + 1), ...joined, ...left]
}

/** Whether both are done in one go when they stand side by side. */
export function isPooled(a: StepState, b: StepState): boolean {
  const pool = poolOf(a)
  return pool !== undefined && pool === poolOf(b)
}

/** Undefined for a step that has nothing to do, or goes alone. */
function poolOf({ difference, placed: { step }, have }: StepState): string | undefined {
  return difference && step.pool?.items(have) ? step.pool.name : undefined
}

/**
 * Whether one step may come after packages that stand behind it. The order within a role is a promise (a file that an installation
 * reads comes before it), and so is that of the play's own steps. What can be installed at all hangs on the settings of apt and dpkg.
 */
function mayFollow(one: StepState, packages: StepState): boolean {
  if (!one.difference) return true
  const yields = one.placed.step.canWaitForPackages || isPooled(one, packages)
  return yields && roleOf(one) !== roleOf(packages) && !names(one).some(isOfApt)
}

function roleOf({ placed }: { readonly placed: ExpandedStep }): string | undefined {
  return placed.roles[0]
}

/** The step's name, which is its path where it has one, and those of its parts. */
function names({ placed, difference }: StepState): readonly string[] {
  return [placed.step.name, ...(difference?.parts ?? []).map(({ name }) => name)]
}

function isOfApt(name: string): boolean {
  return /\/etc\/(apt|dpkg)\b/.test(name)
}

/**
 * Lets hosts whose turn comes later prepare meanwhile what they will need (the download of packages), for all plays at once. Those
 * that are first begin with the real thing at once. It is a help and no part of the plan: that it fails stops nobody.
 */
export async function prefetchPackages(
  acts: readonly PlayRun[],
  { members, surveys, confirm, stop }: Pick<RunContext, 'members' | 'surveys' | 'confirm' | 'stop'>,
): Promise<void> {
  if (confirm || stop.aborted) return
  const differs = ({ examined }: PlayState) => examined.some(({ difference }) => difference)
  const first = acts.find(({ play }) =>
    [...surveys.values()].flat().some((one) => one.play === play && differs(one)),
  )
  const early = new Set(first ? firstHosts(first) : [])
  await Promise.allSettled(
    [...members.values()]
      .filter(({ name, problem }) => !problem && !early.has(name))
      .map((member) => prepare(member, surveys.get(member.name) ?? [])),
  )
}

function firstHosts({ play, hosts }: PlayRun): readonly string[] {
  const { maxUnavailable } = play
  const first =
    maxUnavailable === undefined
      ? batches(hosts, play.serial)[0]
      : hosts.slice(0, atLeastOne(maxUnavailable, hosts.length))
  return (first ?? []).map(({ name }) => name)
}

async function prepare({ session }: HostRun, surveys: readonly PlayState[]): Promise<void> {
  const needs = new Map<string, { readonly pool: Pool; readonly all: Set<string> }>()
  for (const { placed, have, difference } of surveys.flatMap(({ examined }) => examined)) {
    const { pool } = placed.step
    if (!difference || !pool) continue
    const need = needs.get(pool.name) ?? { pool, all: new Set() }
    needs.set(pool.name, need)
    for (const word of pool.items(have) ?? []) need.all.add(word)
  }
  const wanted = [...needs.values()].filter(({ all }) => all.size > 0)
  if (wanted.length === 0) return
  const { pid } = await session.opened
  await session.run(
    wanted.map(({ pool, all }) => ({ script: pool.prefetch([...all], pid), mode: 'isolated' as const })),
  )
}
