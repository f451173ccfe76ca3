import { InvalidParams } from '../../model/problem.ts'
import type { FakePath, FakeState } from '../../model/resource/fake-state.ts'
import type { Step } from '../../model/resource/step.ts'
import { describeStep } from '../errors/step-errors.ts'
import type { StepState } from './refresh.ts'
import { exampleFacts, RELEASES } from './without-hosts.ts'

/** Kinds that set one thing, which has one state: their name says which. */
const PATHS: ReadonlySet<string> = new Set(['file', 'link', 'directory', 'absent', 'unit'])

const OTHERS: ReadonlySet<string> = new Set(['service', 'sysctl'])

/** A step that sets something, or a part of a transaction that does. */
interface Setting {
  readonly thing: string
  readonly name: string
  readonly step: Step
  readonly examined: StepState
}

/**
 * Refuses two steps of one play that want different things of one path or unit: no run could be true to both.
 *
 * @throws Refusal with the place of the second
 */
export function assertNoConflicts(host: string, examined: readonly StepState[]): void {
  const seen = new Map<string, Setting[]>()
  for (const one of examined.flatMap(settingsOf)) {
    const others = seen.get(one.thing) ?? []
    const other = others.find((before) => !agree(before, one))
    if (other) {
      const { source } = one.step
      throw new InvalidParams(
        `${host}: ${describeStep(other.examined.placed)} and ${describeStep(one.examined.placed)} want different things of ${one.name}`,
        {
          ...(source && { where: source }),
          next: 'Keep one of the two steps. Nothing was changed on any host.',
        },
      )
    }
    seen.set(one.thing, [...others, one])
  }
}

function settingsOf(examined: StepState): readonly Setting[] {
  const { step } = examined.placed
  const on = step.on ? `${step.on.name} ` : ''
  return [step, ...(step.parts ?? [])].flatMap((one) => {
    const { kind, name, edits } = one
    if (PATHS.has(kind) || edits !== undefined) {
      const path = edits ?? name
      return [{ thing: `${on}${path}`, name: path, step: one, examined }]
    }
    return OTHERS.has(kind) ? [{ thing: `${on}${kind} ${name}`, name, step: one, examined }] : []
  })
}

function agree(a: Setting, b: Setting): boolean {
  if (a.step.edits !== undefined && b.step.edits !== undefined) return true
  const states = [a, b].some(({ step }) => OTHERS.has(step.kind)) ? undefined : statesOf(a, b)
  return states ? same(states[0], states[1]) : differAlike(a.examined, b.examined)
}

/**
 * The path on an empty host after the step that sets all of it, and after both. Undefined where a step cannot say.
 */
function statesOf(a: Setting, b: Setting): readonly [FakePath | undefined, FakePath | undefined] | undefined {
  const [whole, other] = a.step.edits === undefined ? [a, b] : [b, a]
  if (!whole.step.simulate || !other.step.simulate) return undefined
  const host = emptyHost()
  whole.step.simulate(host)
  const before = host.paths.get(whole.name)
  other.step.simulate(host)
  return [before, host.paths.get(whole.name)]
}

function same(a: FakePath | undefined, b: FakePath | undefined): boolean {
  if (!a || !b) return a === b
  const content = Buffer.compare(a.content ?? Buffer.alloc(0), b.content ?? Buffer.alloc(0)) === 0
  const { type, owner, group, mode, target } = a
  return (
    content &&
    type === b.type &&
    owner === b.owner &&
    group === b.group &&
    mode === b.mode &&
    target === b.target
  )
}

function emptyHost(): FakeState {
  return {
    facts: exampleFacts({ name: 'host' }, RELEASES[0]),
    paths: new Map(),
    packages: new Set(),
    units: new Map(),
    users: new Map(),
    groups: new Map(),
    sysctls: new Map(),
    answer: () => ({ code: 1, stdout: '', stderr: '', bytes: Buffer.alloc(0) }),
    holds: () => {},
    other: emptyHost,
  }
}

function differAlike(a: StepState, b: StepState): boolean {
  if (a.placed.step.kind !== b.placed.step.kind) return false
  if (a.problem || b.problem) return true
  const [one, other] = [a.difference, b.difference]
  if (!one || !other) return one === other
  const wanted = new Map(one.fields.map(({ name, to }) => [name, to]))
  return other.fields.every(({ name, to }) => !wanted.has(name) || wanted.get(name) === to)
}
