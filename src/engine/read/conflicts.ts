import { InvalidParams, Problem } from '../../model/problem.ts'
import { exampleFacts, RELEASES } from '../../model/resource/facts.ts'
import type { FakePath, FakeState } from '../../model/resource/fake-state.ts'
import type { Step } from '../../model/resource/step.ts'
import { describeStep } from '../errors/step-errors.ts'
import type { StepState } from './step-state.ts'

/** Kinds whose steps set the path that is their name. */
const PATHS: ReadonlySet<string> = new Set(['file', 'link', 'directory', 'absent', 'unit', 'cron', 'concat'])

const OTHERS: ReadonlySet<string> = new Set(['service', 'sysctl'])

/** A step, or a part of a transaction, that sets something. */
interface Setting {
  readonly thing: string
  readonly name: string
  readonly step: Step
  /** The result of its `read`. */
  readonly have: unknown
  readonly state: StepState
}

/**
 * Rejects two steps of one play that set the same path or unit differently.
 *
 * @throws InvalidParams with the place of the second step
 */
export function assertNoConflicts(host: string, steps: readonly StepState[]): void {
  const seen = new Map<string, Setting[]>()
  for (const one of steps.flatMap(settingsOf)) {
    const others = seen.get(one.thing) ?? []
    const other = others.find((before) => !agree(before, one))
    if (other) {
      const { source } = one.step
      throw new InvalidParams(
        `${host}: ${describeStep(other.state.expanded)} and ${describeStep(one.state.expanded)} want different things of ${one.name}`,
        { ...(source && { where: source }), next: 'Keep one of the two steps. Nothing was changed on any host.' },
      )
    }
    seen.set(one.thing, [...others, one])
  }
}

function settingsOf(state: StepState): readonly Setting[] {
  const { step } = state.expanded
  const on = step.on ? `${step.on.name} ` : ''
  const haves: readonly unknown[] = Array.isArray(state.have) ? state.have : []
  const parts = (step.parts ?? []).map((one, i) => ({ one, have: haves[i] }))
  return [{ one: step, have: state.have }, ...parts].flatMap(({ one, have }) => {
    const { kind, name, edits } = one
    if (PATHS.has(kind) || edits !== undefined) {
      const path = edits ?? name
      return [{ thing: `${on}${path}`, name: path, step: one, have, state }]
    }
    return OTHERS.has(kind) ? [{ thing: `${on}${kind} ${name}`, name, step: one, have, state }] : []
  })
}

function agree(a: Setting, b: Setting): boolean {
  if (a.step.edits !== undefined && b.step.edits !== undefined) return isStable(a, b)
  const states = [a, b].some(({ step }) => OTHERS.has(step.kind)) ? undefined : statesOf(a, b)
  return states ? same(states[0], states[1]) : haveSameDiff(a.state, b.state)
}

/** True if the first edit has nothing to do after the second, for example because they set different lines. */
function isStable({ step, have, state }: Setting, { step: { edit } }: Setting): boolean {
  if (!step.edit || !edit || state.problem) return true
  try {
    const after = edit.after(step.edit.after(have))
    return step.diff(after) === undefined
  } catch (error) {
    // The later step reports it when it is compared.
    if (error instanceof Problem) return true
    throw error
  }
}

/**
 * The path on an empty host after the step that sets all of it, and after both. Undefined if a step cannot be simulated.
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
  return content && type === b.type && owner === b.owner && group === b.group && mode === b.mode && target === b.target
}

function emptyHost(): FakeState {
  return {
    facts: exampleFacts({ name: 'host' }, RELEASES[0]),
    paths: new Map(),
    packages: new Set(),
    units: new Map(),
    users: new Map(),
    groups: new Map(),
    gids: new Map(),
    alternatives: new Map(),
    locales: { lang: undefined, all: [] },
    mounts: new Map(),
    modules: new Set(),
    sysctls: new Map(),
    values: new Map(),
    answer: () => ({ code: 1, stdout: '', stderr: '', bytes: Buffer.alloc(0) }),
    holds: () => {},
    other: emptyHost,
  }
}

function haveSameDiff(a: StepState, b: StepState): boolean {
  if (a.expanded.step.kind !== b.expanded.step.kind) return false
  if (a.problem || b.problem) return true
  const [one, other] = [a.difference, b.difference]
  if (!one || !other) return one === other
  const wanted = new Map(one.fields.map(({ name, to }) => [name, to]))
  return other.fields.every(({ name, to }) => !wanted.has(name) || wanted.get(name) === to)
}
