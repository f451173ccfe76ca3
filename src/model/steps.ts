import type { Answers } from './answers.ts'
import type { After, Ask } from './ask.ts'
import { Problem, within } from './problem.ts'
import type { RoleCall, RoleContext } from './role.ts'
import type { Step } from './step.ts'

/** Steps, roles, and what is to be left out (`tls && file(…)`), in lists within lists. */
export type Steps = Step | RoleCall | After | Falsy | readonly Steps[]
type Falsy = false | undefined | null

/** A step with the roles that it came from, outermost first. */
export interface PlacedStep {
  readonly step: Step
  readonly roles: readonly string[]
}

/** The asks that must be answered before these steps can be unfolded; roles' own are known only when they are unfolded. */
export function asksOf(steps: Steps): readonly Ask[] {
  if (!steps) return []
  if (isList(steps)) return steps.flatMap(asksOf)
  return steps.type === 'after' ? steps.asks : []
}

export interface UnfoldContext extends RoleContext {
  readonly answers: Pick<Answers, 'has' | 'get'>
}

export interface Unfolded {
  readonly steps: readonly PlacedStep[]
  /** All that was asked for these steps, whether it is answered yet or not. */
  readonly asks: readonly Ask[]
  /** Whether some asks have no answer yet, so that steps are missing. */
  readonly incomplete: boolean
}

/** The flat list of steps of one host, in order. @throws Problem naming the role whose body failed */
export function unfold(steps: Steps, context: UnfoldContext): Unfolded {
  const { answers } = context
  const asks: Ask[] = []
  const flat: PlacedStep[] = []
  const walk = (node: Steps, roles: readonly string[]): void => {
    if (!node) return
    if (isList(node)) for (const inner of node) walk(inner, roles)
    else if (node.type === 'step') flat.push({ step: node, roles })
    else if (node.type === 'role')
      walk(
        within(`role ${node.name}`, node.source, () => node.steps(context)),
        [...roles, node.name],
      )
    else if (node.type === 'after') {
      asks.push(...node.asks)
      if (node.asks.every((one) => answers.has(one))) {
        walk(
          within('after', node.source, () => node.steps((one) => answers.get(one))),
          roles,
        )
      }
    } else throw notSteps(node, roles)
  }
  walk(steps, [])
  return { steps: flat, asks, incomplete: !asks.every((one) => answers.has(one)) }
}

function isList(steps: Steps): steps is readonly Steps[] {
  return Array.isArray(steps)
}

function notSteps(node: unknown, roles: readonly string[]): Problem {
  const where = roles.length > 0 ? `role ${roles.join(' › ')}` : 'a play'
  return new Problem(`The steps of ${where} hold something that is no step: ${kindOf(node)}`)
}

function kindOf(node: unknown): string {
  if (typeof node === 'function') return 'a function: was a role not called with its params?'
  if (node instanceof Promise) return 'a promise: a role cannot be async'
  return `a value of the type ${typeof node}`
}
