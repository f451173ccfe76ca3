import { isEqual } from '../equal.ts'
import { madeFrom, type Step } from '../resource/step.ts'
import type { ExpandedStep, RoleCall, RoleContext, Steps } from './steps.ts'

/** The number of variants that are compared. Roles with params of each host have as many variants as hosts. */
const VARIANTS = 8

interface Variant {
  readonly params: object
  /** Undefined if the role uses its context. */
  readonly steps: { readonly list: Steps } | undefined
}

/**
 * Shares equal steps of many hosts during a run: a role without context is expanded once for equal params, and equal steps are one object.
 * So the scripts of equal hosts are made once, and the states of steps that need no change take no memory for each host.
 */
export class SharedSteps {
  readonly #roles = new Map<object, Variant[]>()
  readonly #steps = new Map<object, Map<string, Step[]>>()
  readonly #known = new WeakSet<Step>()
  readonly #lists = new WeakMap<Step, (readonly ExpandedStep[])[]>()

  /** The steps of a role call. @throws the error of the role's body */
  role(call: RoleCall, context: RoleContext): Steps {
    const { pure } = call
    if (!pure) return call.steps(context)
    pure.supports(context.facts)
    const variants = this.#roles.get(pure.definition) ?? []
    this.#roles.set(pure.definition, variants)
    const known = variants.find(({ params }) => isEqual(params, pure.params))
    if (known) return known.steps ? known.steps.list : call.steps(context)
    let usesContext = false
    const used = <T>(value: T): T => {
      usesContext = true
      return value
    }
    const list = pure.steps({
      get facts() {
        return used(context.facts)
      },
      get host() {
        return used(context.host)
      },
    })
    addVariant(variants, { params: pure.params, steps: usesContext ? undefined : { list } })
    return list
  }

  /** Returns an equal step that was made before, or this one. */
  step(step: Step): Step {
    if (this.#known.has(step)) return step
    const made = madeFrom(step)
    if (!made) return step
    const byName = this.#steps.get(made.kind) ?? new Map<string, Step[]>()
    this.#steps.set(made.kind, byName)
    const variants = byName.get(step.name) ?? []
    byName.set(step.name, variants)
    const known = variants.find((one) => isSameStep(one, step))
    if (known) return known
    this.#known.add(step)
    addVariant(variants, step)
    return step
  }

  /** Returns an equal list that was made before, or this one. */
  list(steps: readonly ExpandedStep[]): readonly ExpandedStep[] {
    const [first] = steps
    if (!first) return NONE
    const lists = this.#lists.get(first.step) ?? []
    this.#lists.set(first.step, lists)
    const known = lists.find((one) => isSameList(one, steps))
    if (known) return known
    addVariant(lists, steps)
    return steps
  }
}

const NONE: readonly ExpandedStep[] = []

function addVariant<T>(variants: T[], one: T): void {
  if (variants.length === VARIANTS) variants.shift()
  variants.push(one)
}

/** Steps are functions of what they were made from. */
function isSameStep(a: Step, b: Step): boolean {
  const [one, other] = [madeFrom(a), madeFrom(b)]
  return one !== undefined && other !== undefined && isEqual(one, other) && isEqual(a.source, b.source)
}

function isSameList(a: readonly ExpandedStep[], b: readonly ExpandedStep[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ step, roles, tags, more }, i) => {
      const other = b[i]
      return other?.step === step && other.more === more && isEqual(roles, other.roles) && isEqual(tags, other.tags)
    })
  )
}
