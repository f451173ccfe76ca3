import type { Host } from '../inventory/host.ts'
import { Problem } from '../problem.ts'
import type { Facts } from '../resource/facts.ts'
import type { Answers, Ask } from '../resource/question.ts'
import { known } from '../resource/read.ts'
import { resource, type Step } from '../resource/step.ts'
import { callSite, type Source } from '../source.ts'

/** The context of a role besides its params, for the host that it is expanded for. */
export interface RoleContext {
  readonly facts: Facts
  /** The host itself, with its name and address; that of `delegateTo` for delegated steps. */
  readonly host: Host
}

/** A role with its params; it is expanded when the host's facts are known. */
export interface RoleCall {
  readonly type: 'role'
  readonly name: string
  readonly source: Source | undefined
  readonly tags: readonly string[]
  readonly steps: (context: RoleContext) => Steps
  /** Set if the role's body has no context: then calls with equal params have equal steps. */
  readonly pure?: PureRole
}

interface PureRole {
  /** Identifies the role. */
  readonly definition: object
  readonly params: object
  /** @throws InvalidParams for a system that the role does not support */
  readonly supports: (facts: Facts) => void
  readonly steps: (context: RoleContext) => Steps
}

/** Steps for another host than that of the turn. */
interface DelegatedSteps {
  readonly type: 'delegated'
  readonly host: Host
  readonly steps: Steps
}

/** Steps that only the first reachable host of a play runs. */
interface RunOnceSteps {
  readonly type: 'once'
  readonly steps: Steps
}

/** Steps with tags. */
interface TaggedSteps {
  readonly type: 'tagged'
  readonly tags: readonly string[]
  readonly steps: Steps
}

/** Runs steps on another host, at this place in the turn of the play's host. Roles get the facts of that other host. @example delegateTo(db1, [migrated]) */
export function delegateTo(host: Host, steps: Steps): DelegatedSteps {
  return Object.freeze({ type: 'delegated', host, steps })
}

/**
 * Steps that one host of a play runs for all of them: the first reachable one. With `delegateTo`, another host runs them.
 *
 * @example play('app', { hosts: app, serial: 1 }, () => [runOnce(delegateTo(db1, migrated)), motd({ text: 'Welcome' })])
 */
export function runOnce(steps: Steps): RunOnceSteps {
  return Object.freeze({ type: 'once', steps })
}

/**
 * Adds tags to steps and roles, for `--tags` and `--skip-tags`.
 *
 * @example tagged('config', [file('/etc/motd', 'Welcome\n')])
 */
export function tagged(tags: string | readonly string[], steps: Steps): TaggedSteps {
  return Object.freeze({ type: 'tagged', tags: typeof tags === 'string' ? [tags] : tags, steps })
}

/**
 * A place in the steps of a host's turn where the handlers run that were notified before it. The others run at the end of the turn.
 *
 * @example [file('/etc/app.conf', conf, { notify: restarted('app') }), flushHandlers(), waitFor({ port: 3000 })]
 */
export function flushHandlers(): Step {
  return flushStep({})
}

const flushStep = resource<object, undefined>('flush', {
  id: () => 'handlers',
  affects: 'itself',
  read: () => known(undefined),
  diff: () => undefined,
  apply: () => [],
  flushesHandlers: true,
})

/** A step, and the steps that its output decides. */
export interface OutputSteps {
  readonly type: 'output'
  readonly step: Step
  readonly more: (stdout: string) => Steps
}

/**
 * A command, and steps that are made from its output when it has run. A plan says of them "known after apply". In a run that does not run
 * the command there are no such steps: for what must hold in each run, ask the host with {@link after}.
 *
 * @param step a `command` or `script`
 * @param more makes steps from the standard output of the command, which is not logged
 * @throws TypeError for a step of another kind
 * @example
 * withOutput(command('create a token', sh`app token create`, { unless: sh`app token exists` }), (token) =>
 *   file('/etc/app/token', new Secret(() => token.trim()), { owner: 'app' }))
 */
export function withOutput(step: Step, more: (stdout: string) => Steps): OutputSteps {
  if (step.kind !== 'command') throw new TypeError(`withOutput: ${step.kind} ${step.name} is not a command`)
  return Object.freeze({ type: 'output', step, more })
}

/** Steps that depend on answers of hosts. */
interface AfterSteps {
  readonly type: 'after'
  readonly source: Source | undefined
  readonly asks: readonly Ask[]
  readonly steps: (answerTo: (ask: Ask) => unknown) => Steps | Problem
}

/**
 * Steps that depend on answers of hosts. The questions are asked for the plan, and again right before the steps run if an asked host has
 * changed since.
 *
 * @param derived a Problem as its value fails the host before anything changes on it
 * @example
 * after(askEach(db, isPrimary), (all) => {
 *   const primary = all.find(({ answer }) => answer)?.host
 *   return primary && file('/etc/app/database', primary.address)
 * })
 */
export function after<T>(derived: Answers<T | Problem>, then: (value: T) => Steps): AfterSteps {
  return Object.freeze({
    type: 'after',
    source: callSite(),
    asks: derived.asks,
    steps: (answerTo: (ask: Ask) => unknown) => {
      const value = derived.value(answerTo)
      return value instanceof Problem ? value : then(value)
    },
  })
}

/** Excludes the host from the run, which is no failure. */
export interface EndHost {
  readonly type: 'end-host'
  readonly reason: string
  readonly status: string
}

interface EndHostOptions {
  /** The status of the host in the summary of the run. @default 'excluded' */
  readonly as?: string
}

/**
 * Excludes the host from the run: no play changes anything on it. It is no failure.
 *
 * @param reason is printed, such as `it is in maintenance`
 * @example after(askHost(db1, isPrimary), (primary) => primary && endHost('it is the primary', { as: 'primary' }))
 */
export function endHost(reason: string, { as: status = 'excluded' }: EndHostOptions = {}): EndHost {
  return Object.freeze({ type: 'end-host', reason, status })
}

/** A step with the roles that it came from, outermost first. */
export interface ExpandedStep {
  readonly step: Step
  readonly roles: readonly string[]
  /** Its own tags, and those of the roles and `tagged` lists that contain it; the name of a role is a tag. */
  readonly tags: readonly string[]
  /** Makes more steps from its output when it has run. */
  readonly more?: (stdout: string) => Steps
  /** The steps that were joined into this one, such as the fragments of a file; undefined for none. */
  readonly joined?: readonly ExpandedStep[]
}

/** Steps and roles in nested lists; false, undefined and null are left out, as in `tls && file(…)`. */
export type Steps =
  | Step
  | RoleCall
  | AfterSteps
  | DelegatedSteps
  | RunOnceSteps
  | TaggedSteps
  | OutputSteps
  | EndHost
  | Falsy
  | readonly Steps[]

type Falsy = false | undefined | null
