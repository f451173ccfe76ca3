import type { PlacedStep } from '../model/steps.ts'
import type { Examined } from './survey.ts'

/**
 * The steps of a host's turn in the order in which they are carried out: what can be done together with the first step of its pool
 * (packages, in one transaction) is put right behind it, where that comes to the same. Only what comes after that first step moves,
 * and a plan leaves all of that open, so it stays true.
 */
export function gathered(examined: readonly Examined[]): readonly Examined[] {
  const first = examined.findIndex(({ difference, placed }) => difference && placed.step.pool)
  const leader = examined[first]
  if (!leader || poolOf(leader) === undefined) return examined
  const joined: Examined[] = []
  const left: Examined[] = []
  for (const one of examined.slice(first + 1)) {
    const joins = isPooled(leader, one) && left.every((before) => mayFollow(before, one))
    const into = joins ? joined : left
    into.push(one)
  }
  return [...examined.slice(0, first + 1), ...joined, ...left]
}

/** Whether both are done in one go when they stand side by side. */
export function isPooled(a: Examined, b: Examined): boolean {
  const pool = poolOf(a)
  return pool !== undefined && pool === poolOf(b)
}

/** Undefined for a step that has nothing to do, or goes alone. */
function poolOf({ difference, placed: { step }, have }: Examined): string | undefined {
  return difference && step.pool?.items(have) ? step.pool.name : undefined
}

/**
 * Whether one step may come after packages that stand behind it. The order within a role is a promise (a file that an installation
 * reads comes before it), and so is that of the play's own steps. What can be installed at all hangs on the settings of apt and dpkg.
 */
function mayFollow(one: Examined, packages: Examined): boolean {
  if (!one.difference) return true
  const yields = one.placed.step.canWaitForPackages || isPooled(one, packages)
  return yields && roleOf(one) !== roleOf(packages) && !names(one).some(isOfApt)
}

function roleOf({ placed }: { readonly placed: PlacedStep }): string | undefined {
  return placed.roles[0]
}

/** The step's name, which is its path where it has one, and those of its parts. */
function names({ placed, difference }: Examined): readonly string[] {
  return [placed.step.name, ...(difference?.parts ?? []).map(({ name }) => name)]
}

function isOfApt(name: string): boolean {
  return /\/etc\/(apt|dpkg)\b/.test(name)
}
