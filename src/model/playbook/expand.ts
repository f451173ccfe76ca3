import type { StepInfo } from '../event.ts'
import type { Host } from '../inventory/host.ts'
import { InvalidParams, Problem, wrapErrors } from '../problem.ts'
import type { Diff } from '../resource/diff.ts'
import { type Facts, type Platform, systemTitle } from '../resource/facts.ts'
import type { FakeState } from '../resource/fake-state.ts'
import type { Handler } from '../resource/handler.ts'
import type { AnswerStore, Ask, QuestionRegistry } from '../resource/question.ts'
import { elsewhere } from '../resource/read.ts'
import { FACTS } from '../resource/read-facts.ts'
import type { Step } from '../resource/step.ts'
import type { SharedSteps } from './shared-steps.ts'
import { delegateTo, type EndHost, type ExpandedStep, type OutputSteps, type RoleContext, type Steps } from './steps.ts'

/** The asks that must be answered before these steps can be expanded. Those within roles are known only after the roles are expanded. */
export function asksOf(steps: Steps): readonly Ask[] {
  if (!steps) return []
  if (isList(steps)) return steps.flatMap(asksOf)
  if (steps.type === 'delegated') return [{ host: steps.host, question: FACTS }, ...asksOf(steps.steps)]
  if (steps.type === 'once' || steps.type === 'tagged') return asksOf(steps.steps)
  return steps.type === 'after' ? steps.asks : []
}

export interface ExpandContext extends RoleContext {
  readonly answers: Pick<AnswerStore, 'has' | 'get'>
  /** Identifies equal questions of several expansions. @default each question is distinct */
  readonly questions?: QuestionRegistry
  /** True if this host runs the steps of `runOnce`; `unknown` if that is not known yet. @default true */
  readonly runsOnce?: boolean | 'unknown'
  /** Shares equal steps with other hosts. @default no sharing */
  readonly shared?: SharedSteps
}

export interface Expansion {
  readonly steps: readonly ExpandedStep[]
  /** All asks of these steps, answered or not. */
  readonly asks: readonly Ask[]
  /** True if steps are missing: some asks have no answer yet, or it is not known who runs the steps of `runOnce`. */
  readonly incomplete: boolean
  /** True if the steps contain `runOnce`, and it is not known who runs it. */
  readonly awaitsOnce: boolean
  /** Set when the host is excluded from the run. */
  readonly ended: EndHost | undefined
}

/** Expands steps to a flat list for one host, in order. @throws Problem with the role whose body failed */
export function expand(steps: Steps, context: ExpandContext): Expansion {
  const { answers, questions, runsOnce = true, shared } = context
  questions?.begin()
  const first = (one: Ask) => questions?.first(one) ?? one
  const asks: Ask[] = []
  const flat: ExpandedStep[] = []
  let ended: EndHost | undefined
  let awaitsOnce = false
  const used = new Set<Step>()
  /** A host has each step object once, so that a change of one step is not taken for that of another. */
  const sharedStep = (step: Step): Step => {
    if (!shared) return step
    const known = shared.step(step)
    const own = used.has(known) ? Object.freeze({ ...known }) : known
    used.add(own)
    return own
  }
  const answered = (needed: readonly Ask[]) => {
    const known = needed.map(first)
    asks.push(...known)
    return known.every((one) => answers.has(one))
  }
  const walk = (node: Steps, at: Place): void => {
    const { roles, tags } = at
    if (!node || ended) return
    if (isList(node)) for (const inner of node) walk(inner, at)
    else if (node.type === 'step') {
      const own = stepFor(sharedStep(node), at.facts)
      const step = at.isDelegated ? stepOn(own, at.host) : own
      flat.push({ step, roles, tags: [...tags, ...node.tags] })
    } else if (node.type === 'output') flat.push(stepWithOutput(node, at))
    else if (node.type === 'role')
      walk(
        wrapErrors(`role ${node.name}`, node.source, () => {
          const own = { facts: at.facts, host: at.host }
          return shared ? shared.role(node, own) : node.steps(own)
        }),
        { ...at, roles: [...roles, node.name], tags: [...tags, node.name, ...node.tags] },
      )
    else if (node.type === 'after') {
      if (!answered(node.asks)) return
      const inner = wrapErrors('after', node.source, () => node.steps((one) => answers.get(first(one))))
      if (inner instanceof Problem) throw inner
      walk(inner, at)
    } else if (node.type === 'tagged') walk(node.steps, { ...at, tags: [...tags, ...node.tags] })
    else if (node.type === 'once') {
      if (runsOnce === 'unknown') awaitsOnce = true
      else if (runsOnce) walk(node.steps, at)
    } else if (node.type === 'delegated') {
      const needed = { host: node.host, question: FACTS }
      if (answered([needed]))
        walk(node.steps, { ...at, host: node.host, isDelegated: true, facts: factsIn(answers.get(needed), node.host) })
    } else if (node.type === 'end-host') ended = node
    else throw notSteps(node, roles)
  }
  walk(steps, { roles: [], tags: [], facts: context.facts, host: context.host, isDelegated: false })
  const joined = joinSteps(flat)
  const incomplete = awaitsOnce || !asks.every((one) => answers.has(one))
  return { steps: shared?.list(joined) ?? joined, asks, incomplete, awaitsOnce, ended }
}

/** The step with the scripts for the platform of the host. @throws InvalidParams if it has none */
function stepFor(step: Step, { hostname, os, platform }: Facts): Step {
  const found = step.forPlatform?.(platform)
  if (found === undefined) return step
  if (typeof found !== 'string') {
    const { source, tags, protection, allowedFailure, throttle } = step
    const { pool, ...alone } = found
    return Object.freeze({
      ...alone,
      ...(pool && allowedFailure === undefined && !throttle && { pool }),
      ...{ source, tags },
      ...(protection !== undefined && { protection }),
      ...(allowedFailure !== undefined && { allowedFailure }),
      ...(throttle && { throttle }),
    })
  }
  const system = systemTitle(`${os.id} ${os.version || os.codename}`.trim())
  throw new InvalidParams(`${step.kind} ${step.name}: ${found}, and ${hostname} runs ${system} (${platform}).`, {
    ...(step.source && { where: step.source }),
    next: 'Leave the step out on this host: `facts.platform` is its platform. Nothing was changed on any host.',
    systems: ACCEPTED.filter(([other]) => typeof step.forPlatform?.(other) !== 'string').map(([, id]) => id),
  })
}

/** A system of each platform. */
const ACCEPTED: readonly (readonly [Platform, string])[] = [
  ['debian', 'debian'],
  ['redhat', 'fedora'],
]

/** The plan of the command says that there are more steps. */
function stepWithOutput({ step, more }: OutputSteps, { roles, tags, host, isDelegated }: Place): ExpandedStep {
  const shown: Step = {
    ...step,
    diff: (have) => {
      const difference = step.diff(have)
      return difference && { ...difference, fields: [...difference.fields, AFTER_APPLY] }
    },
  }
  return {
    step: isDelegated ? stepOn(shown, host) : shown,
    roles,
    tags: [...tags, ...step.tags],
    more: (stdout) => (isDelegated ? delegateTo(host, more(stdout)) : more(stdout)),
  }
}

const AFTER_APPLY = { name: 'steps from its output', to: 'known after apply' } as const

/** Joins steps that make one thing, such as the fragments of a file. */
function joinSteps(flat: readonly ExpandedStep[]): readonly ExpandedStep[] {
  const groups = new Map<string, ExpandedStep[]>()
  for (const one of flat) {
    const thing = jointThing(one)
    if (thing !== undefined) groups.set(thing, [...(groups.get(thing) ?? []), one])
  }
  if (groups.size === 0) return flat
  return flat.flatMap((one) => {
    const all = groups.get(jointThing(one) ?? '') ?? [one]
    const [first] = all
    if (first !== one) return []
    return all.length === 1 ? [one] : [joinedStep(all, one)]
  })
}

/** The thing that a step makes together with others, with its host. */
export function jointThing({ step: { joint, on } }: ExpandedStep): string | undefined {
  return joint && `${on?.name ?? ''} ${joint.thing}`
}

function joinedStep(all: readonly ExpandedStep[], { step, roles }: ExpandedStep): ExpandedStep {
  const steps = all.map((one) => one.step)
  const made =
    wrapErrors('a play', steps[1]?.source, () => step.joint?.join(steps.map(({ joint }) => joint?.value))) ?? step
  const notify = new Map(steps.flatMap((one) => one.notify).map((handler) => [handler.name, handler]))
  const protection = steps.find((one) => one.protection !== undefined)?.protection
  const whole = Object.freeze({
    ...{ ...made, source: step.source, notify: [...notify.values()] },
    ...(protection !== undefined && { protection }),
  })
  const tags = [...new Set(all.flatMap((one) => one.tags))]
  return { step: step.on ? stepOn(whole, step.on) : whole, roles, tags, joined: all }
}

interface Place {
  readonly roles: readonly string[]
  readonly tags: readonly string[]
  readonly facts: Facts
  /** The host of its steps. */
  readonly host: Host
  /** True if that is another host than that of the turn. */
  readonly isDelegated: boolean
}

/** @param answer the answer to {@link FACTS} */
function factsIn(answer: unknown, { name }: Host): Facts {
  if (!answer)
    throw new Problem(`${name} cannot be reached, and some steps are to be done there`, {
      next: 'See why it cannot be reached; nothing was done in this play on the host whose turn it was.',
    })
  return answer as Facts
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

export function stepInfo({ step: { kind, name, source }, roles }: ExpandedStep): StepInfo {
  return { kind, name, roles, source }
}

/** The same step for another host: it is read and applied there, and its handlers run there. */
export function stepOn(step: Step, host: Host): Step {
  const { pool: _own, ...alone } = step
  const { notify, satisfies } = alone
  return Object.freeze({
    ...alone,
    on: host,
    name: `${step.name} on ${host.name}`,
    notify: notify.map((one) => handlerOn(one, host)),
    satisfies: satisfies.map((one) => handlerOn(one, host)),
    read: elsewhere(step.read, host),
    diff: (have: unknown) => differenceOn(step.diff(have), host),
    // A command that has its own host keeps it.
    apply: (have: unknown) => step.apply(have).map((command) => ({ ...command, on: command.on ?? host })),
    ...(step.simulate && { simulate: (own: FakeState) => step.simulate?.(own.other(host.name)) }),
  })
}

function handlerOn({ name, commands, ...rest }: Handler, host: Host): Handler {
  return { ...rest, name: `${name} on ${host.name}`, commands: commands.map((command) => ({ ...command, on: host })) }
}

function differenceOn(difference: Diff | undefined, host: Host): Diff | undefined {
  if (!difference?.texts) return difference
  const texts = difference.texts.map((text) => ({ ...text, before: elsewhere(text.before, host) }))
  return { ...difference, texts }
}
