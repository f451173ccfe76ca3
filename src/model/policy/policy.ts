import type { Host } from '../inventory/host.ts'
import { Problem, wrapErrors } from '../problem.ts'
import type { Action, Diff, FieldChange } from '../resource/diff.ts'
import { callSite, type Source } from '../source.ts'

/** A change that a run would make: a step that differs from its host, or a handler that would run. */
export interface Change {
  /** The host whose turn the change is part of. */
  readonly host: Host
  /** The host that changes; it differs from `host` for steps of `delegateTo`. */
  readonly on: Host
  readonly play: string
  /** The kind of the step, such as `file`; `handler` for a handler. */
  readonly kind: string
  /** The name of the step or the handler: `/etc/motd`, `restart nginx`. */
  readonly name: string
  /** The roles that contain the step, the outermost first. For a handler, those of the step that notifies it. */
  readonly roles: readonly string[]
  readonly tags: readonly string[]
  /** The place of the step in the user's files. For a handler, that of the step that notifies it. */
  readonly source: Source | undefined
  /** For a handler `run`, unless it is made by `reloaded`, `restarted` or `rebooted`. */
  readonly action: Action | 'reload'
  readonly fields: readonly FieldChange[]
  /** The changes of the parts, for a step that has several. */
  readonly parts: NonNullable<Diff['parts']>
  /** The systemd units that it restarts or stops, without `.service`, as far as steps and handlers declare them. */
  readonly restarts: readonly string[]
  /** False if an earlier change of the run may make it unnecessary or different: `?` in a plan. */
  readonly known: boolean
}

/** The input of a policy. */
export interface PolicyInput {
  /** The changes of all hosts of the run; those of a host are in the order of the plays. During a run, those that are done are included. */
  readonly changes: readonly Change[]
  /** The current time; the start of the host's turn during a run. {@link localTime} converts it to a time zone. */
  readonly at: Date
  /** `validate` knows no host: its changes are those of new hosts. */
  readonly mode: 'validate' | 'plan' | 'apply'
}

/** Returns the changes that it does not allow. */
type Rule = (input: PolicyInput) => readonly Change[] | false | undefined | null

/** A rule that plans and runs of a site must keep. */
export interface Policy {
  readonly type: 'policy'
  readonly name: string
  readonly source: Source | undefined
  readonly rule: Rule
}

/**
 * A rule over the changes of a plan. It is checked by `validate` and `plan`, before a run changes anything, and for each host before its
 * first change. If it does not allow a change, the run does not start.
 *
 * @param name a sentence that messages show; it identifies the policy for waivers
 * @param rule returns the changes that are not allowed; nothing if all are
 * @example
 * policy('no restart of a database in office hours', ({ changes, at }) => {
 *   const { weekday, hour } = localTime(at, 'Europe/Berlin')
 *   const isOpen = weekday <= 5 && hour >= 9 && hour < 18
 *   return isOpen && changes.filter(({ on, restarts }) => on.group === 'db' && restarts.includes('postgresql'))
 * })
 */
export function policy(name: string, rule: Rule): Policy {
  return Object.freeze({ type: 'policy', name, source: callSite(), rule })
}

/** The changes that a policy does not allow. @throws Problem for an error of its rule */
export function refusedBy({ name, source, rule }: Policy, input: PolicyInput): readonly Change[] {
  const refused: unknown = wrapErrors(`policy "${name}"`, source, () => rule(input))
  if (refused === false || refused === undefined || refused === null) return []
  const known = new Set<unknown>(input.changes)
  if (Array.isArray(refused) && refused.every((one) => known.has(one))) return refused as readonly Change[]
  throw new Problem(`policy "${name}" returned a value that is not a list of its changes`, {
    ...(source && { where: source }),
    next: 'Return changes.filter(…), or false to allow all of them. A rule cannot be async.',
  })
}

/** A time of day in a time zone. */
export interface LocalTime {
  /** 1 for Monday, 7 for Sunday. */
  readonly weekday: number
  /** 0 to 23. */
  readonly hour: number
  readonly minute: number
}

/**
 * Converts a time to a time zone, for the rules of policies: the machine that runs `provision` may have another one.
 *
 * @param zone a name of the IANA time zone database
 * @throws RangeError for an unknown zone
 * @example localTime(new Date('2026-01-05T08:30:00Z'), 'Europe/Berlin') // { weekday: 1, hour: 9, minute: 30 }
 */
export function localTime(at: Date, zone: string): LocalTime {
  const format = new Intl.DateTimeFormat('en-GB', {
    ...{ timeZone: zone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  })
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]))
  return {
    weekday: WEEKDAYS.indexOf(parts.get('weekday') ?? '') + 1,
    hour: Number(parts.get('hour')),
    minute: Number(parts.get('minute')),
  }
}

const WEEKDAYS: readonly string[] = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
