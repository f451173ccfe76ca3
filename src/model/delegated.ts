import type { Diff } from './difference.ts'
import { facts } from './facts.ts'
import type { Handler } from './handler.ts'
import type { Host } from './host.ts'
import { elsewhere } from './read.ts'
import type { FakeState } from './sketch.ts'
import type { Step } from './step.ts'
import type { Steps } from './steps.ts'

/** Steps for another host than the one whose turn it is. */
export interface Delegated {
  readonly type: 'delegated'
  readonly host: Host
  readonly steps: Steps
}

/** Steps that only the first of a play's hosts takes. */
export interface RunOnce {
  readonly type: 'once'
  readonly steps: Steps
}

/** Steps with words for `--tags`. */
export interface Tagged {
  readonly type: 'tagged'
  readonly tags: readonly string[]
  readonly steps: Steps
}

/** Steps for another host, at this place in the turn of the play's own host. Roles in them see the facts of that other host. @example delegateTo(db1, [migrated]) */
export function delegateTo(host: Host, steps: Steps): Delegated {
  return Object.freeze({ type: 'delegated', host, steps })
}

/**
 * Steps that one host of a play takes for all of them: the first that can be reached. With `on`, another host does it.
 *
 * @example play('app', { hosts: app, serial: 1 }, () => [runOnce(delegateTo(db1, migrated)), motd({ text: 'Welcome' })])
 */
export function runOnce(steps: Steps): RunOnce {
  return Object.freeze({ type: 'once', steps })
}

/**
 * Gives words for `--tags` and `--skip-tags` to steps and roles.
 *
 * @example tagged('config', [file('/etc/motd', 'Welcome\n')])
 */
export function tagged(tags: string | readonly string[], steps: Steps): Tagged {
  return Object.freeze({ type: 'tagged', tags: typeof tags === 'string' ? [tags] : tags, steps })
}

/** What roles of delegated steps see. */
export const FACTS = Object.freeze({ label: 'its facts', read: facts })

/** The same step, done on another host: asked there, changed there, its handlers run there. */
export function stepOn(step: Step, host: Host): Step {
  const { pool: _own, ...alone } = step
  const { notify, satisfies } = alone
  return Object.freeze({
    ...alone,
    on: host,
    name: `${step.name} on ${host.name}`,
    notify: notify.map((one) => handlerOn(one, host)),
    settles: satisfies.map((one) => handlerOn(one, host)),
    read: elsewhere(step.read, host),
    diff: (have: unknown) => differenceOn(step.diff(have), host),
    // A command that says where it runs, runs there.
    apply: (have: unknown) => step.apply(have).map((command) => ({ ...command, on: command.on ?? host })),
    ...(step.simulate && { simulate: (own: FakeState) => step.simulate?.(own.other(host.name)) }),
  })
}

function handlerOn({ name, commands }: Handler, host: Host): Handler {
  return { name: `${name} on ${host.name}`, commands: commands.map((command) => ({ ...command, on: host })) }
}

function differenceOn(difference: Diff | undefined, host: Host): Diff | undefined {
  if (!difference?.texts) return difference
  const texts = difference.texts.map((text) => ({ ...text, before: elsewhere(text.before, host) }))
  return { ...difference, texts }
}
