import type { Duration } from '../shell/duration.ts'
import { didYouMean } from '../shell/nearest.ts'
import type { RunEvent, RunStatus } from './event.ts'
import { isRecord } from './inventory/fields.ts'
import type { Diff } from './resource/diff.ts'

/** The functions that are called after a run. Each is called once per run, when the run has ended. */
export interface Hooks {
  /** After a run that has changed hosts, also one that has failed later. */
  readonly onChange?: Hook | readonly Hook[]
  /** After a run or a dry run with a host that has failed or was not reachable, and after one that was refused or interrupted. */
  readonly onFailure?: Hook | readonly Hook[]
  /** After `provision drift` has found a difference. */
  readonly onDrift?: Hook | readonly Hook[]
  /** After every run and dry run. */
  readonly onEnd?: Hook | readonly Hook[]
}

const HOOK_NAMES = ['onChange', 'onFailure', 'onDrift', 'onEnd'] as const satisfies readonly (keyof Hooks)[]

/** A function that receives a report of a run. Created by `webhook`, `mail`, `openTelemetry` or {@link hook}. */
export interface Hook {
  readonly type: 'hook'
  /** Names it in messages. Without secrets. */
  readonly name: string
  /** The time after which it is given up. */
  readonly timeout: Duration
  /**
   * @param signal aborted at the end of the time limit
   * @throws Error with the reason of a failure, which is reported and does not change the result of the run
   */
  readonly call: (report: HookReport, signal: AbortSignal) => Promise<void> | void
}

/** A run, as hooks see it. Secrets are masked, except in `events`. */
export interface HookReport {
  readonly event: keyof Hooks
  /** `apply`, `plan` for a dry run, `drift`. */
  readonly mode: 'apply' | 'plan' | 'drift'
  readonly status: RunStatus
  /** The start of the run, in ISO 8601. */
  readonly began: string
  readonly ms: number
  /** The command line; undefined for a run of the library. */
  readonly command?: string
  readonly hosts: readonly HookHost[]
  /** The steps that have changed something, or would. */
  readonly changes: readonly HookChange[]
  readonly problems: readonly HookProblem[]
  /** The events of the run. They may contain texts with secrets, so webhooks do not send them. */
  readonly events: readonly TimedEvent[]
}

/** The outcome of a host. */
export interface HookHost {
  readonly host: string
  readonly outcome: 'ok' | 'changed' | 'failed' | 'unreachable' | 'skipped' | 'excluded'
  /** The number of steps that have changed something, or would. */
  readonly changed: number
}

/** A change on a host. */
export interface HookChange {
  readonly host: string
  readonly play: string
  /** `file /etc/motd` */
  readonly step: string
  readonly roles: readonly string[]
  readonly action: Diff['action']
  readonly fields: Diff['fields']
  /** For drift: the cause, as in the output of `provision drift`. */
  readonly cause?: string
}

/** A problem of a host. */
export interface HookProblem {
  readonly host: string
  readonly message: string
  readonly next?: string
}

/** An event with its time, in milliseconds since 1970. */
export interface TimedEvent {
  readonly at: number
  readonly event: RunEvent
}

/** The time limit of a hook. */
export const HOOK_TIMEOUT: Duration = '10s'

/**
 * A hook of your own. A call that takes longer than `timeout`, 10 seconds by default, counts as failed.
 *
 * @param name names it in messages
 * @example hook('count', ({ changes }) => console.error(`${changes.length} changes`))
 */
export function hook(
  name: string,
  call: Hook['call'],
  { timeout = HOOK_TIMEOUT }: { readonly timeout?: Duration } = {},
): Hook {
  return Object.freeze({ type: 'hook', name, timeout, call })
}

/** The faults of the hooks of an inventory: other programs may have made it without types. */
export function faultsOfHooks(hooks: Hooks): readonly string[] {
  const given: unknown = hooks
  if (!isRecord(given)) return ['hooks: should be hooks: { onChange: webhook(…) }']
  const known: readonly string[] = HOOK_NAMES
  const unknown = Object.keys(given).filter((name) => !known.includes(name))
  return [
    ...unknown.map((name) => {
      const next = didYouMean(name, known) ?? `There are ${known.join(', ')}.`
      return `hooks.${name}: is not known here. ${next}`
    }),
    ...HOOK_NAMES.filter((name) => !isHooks(given[name])).map(
      (name) => `hooks.${name}: should be a hook, such as webhook(…), or a list of hooks`,
    ),
  ]
}

function isHooks(value: unknown): boolean {
  const isHook = (one: unknown) => isRecord(one) && one['type'] === 'hook'
  return value === undefined || isHook(value) || (Array.isArray(value) && value.every(isHook))
}
