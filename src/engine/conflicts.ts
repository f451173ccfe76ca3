import { Refusal } from '../model/problem.ts'
import { describe } from './describe.ts'
import type { Examined } from './survey.ts'

/** Kinds that set one thing, which has one state: their name says which. */
const PATHS: ReadonlySet<string> = new Set(['file', 'link', 'directory', 'absent', 'unit'])
const OTHERS: ReadonlySet<string> = new Set(['service', 'sysctl'])

/**
 * Refuses two steps of one play that want different things of one path or unit: no run could be true to both.
 *
 * @throws Refusal with the place of the second
 */
export function refuseConflicts(host: string, examined: readonly Examined[]): void {
  const seen = new Map<string, Examined>()
  for (const one of examined) {
    const { kind, name } = one.placed.step
    const thing = PATHS.has(kind) ? name : OTHERS.has(kind) ? `${kind} ${name}` : undefined
    if (thing === undefined) continue
    const other = seen.get(thing)
    seen.set(thing, one)
    if (!other || agree(other, one)) continue
    const { source } = one.placed.step
    throw new Refusal(
      `${host}: ${describe(other.placed)} and ${describe(one.placed)} want different things of ${name}`,
      {
        ...(source && { where: source }),
        next: 'Keep one of the two steps. Nothing was changed on any host.',
      },
    )
  }
}

function agree(a: Examined, b: Examined): boolean {
  if (a.placed.step.kind !== b.placed.step.kind) return false
  if (a.problem || b.problem) return true
  const [one, other] = [a.difference, b.difference]
  if (!one || !other) return one === other
  const wanted = new Map(one.fields.map(({ name, to }) => [name, to]))
  return other.fields.every(({ name, to }) => !wanted.has(name) || wanted.get(name) === to)
}
