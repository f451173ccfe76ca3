import { didYouMean } from '../../shell/nearest.ts'
import type { Host } from '../inventory/host.ts'
import { Problem } from '../problem.ts'
import { callSite, type Source } from '../source.ts'
import type { Policy } from './policy.ts'

/** An exception from a policy or from the protection of a step, until a time. */
export interface Waiver {
  readonly type: 'waiver'
  /** The name of the policy, or kind and name of the protected step. */
  readonly of: { readonly policy: string } | { readonly step: string }
  readonly until: Date
  readonly reason: string
  /** The names of hosts and groups; undefined for all. */
  readonly hosts: readonly string[] | undefined
  readonly source: Source | undefined
}

/** Options of {@link waive} and {@link lift}. */
export interface WaiverOptions {
  /** The end: a date, which includes that day in UTC, or a time with its zone such as `2026-12-24T18:00+01:00`. */
  readonly until: string
  /** It is recorded with each run that uses the waiver. */
  readonly reason: string
  /** The names of hosts and groups. @default all hosts */
  readonly hosts?: readonly string[]
}

/**
 * Allows the changes that a policy refuses, until a time. Each use is recorded in the journal of the run.
 *
 * @param of the policy or its name
 * @throws Problem for an invalid time or an empty reason
 * @example waive('no restart of a database in office hours', { until: '2026-12-24', reason: 'security fix', hosts: ['db1'] })
 */
export function waive(of: Policy | string, options: WaiverOptions): Waiver {
  const name = typeof of === 'string' ? of : of.name
  return waiver(`waive('${name}')`, { policy: name }, options)
}

/**
 * Lifts the protection of a step, until a time. Each use is recorded in the journal of the run.
 *
 * @param step its kind and name, as in a plan
 * @throws Problem for an invalid time or an empty reason
 * @example lift('directory /srv/uploads', { until: '2026-12-24T18:00Z', reason: 'the uploads have moved to the bucket' })
 */
export function lift(step: string, options: WaiverOptions): Waiver {
  return waiver(`lift('${step}')`, { step }, options)
}

function waiver(what: string, of: Waiver['of'], { until, reason, hosts }: WaiverOptions): Waiver {
  const source = callSite()
  const end = endOf(until)
  const where = source && { where: source }
  if (end === undefined)
    throw new Problem(`${what}: "${until}" is not the end of a waiver`, {
      ...where,
      next: 'Give a date such as 2026-12-24, or a time with its zone such as 2026-12-24T18:00Z.',
    })
  if (reason.trim() === '') throw new Problem(`${what}: the reason of the waiver is missing`, { ...where })
  return Object.freeze({ type: 'waiver', of, until: end, reason, hosts, source })
}

/** The last moment of a date in UTC, or the time. Undefined if it is not valid. */
function endOf(until: string): Date | undefined {
  const isDate = /^\d{4}-\d{2}-\d{2}$/.test(until)
  if (!isDate && !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})$/.test(until)) return undefined
  const end = new Date(isDate ? `${until}T23:59:59.999Z` : until)
  // Date accepts the 30th of February.
  const isReal = !Number.isNaN(end.getTime()) && (!isDate || end.toISOString().startsWith(until))
  return isReal ? end : undefined
}

/** True if the waiver is for this host, whether it has expired or not. */
export function isForHost({ hosts }: Waiver, { name, group }: Pick<Host, 'name' | 'group'>): boolean {
  return hosts === undefined || hosts.includes(name) || hosts.includes(group)
}

/** The faults of policies and waivers, as sentences. */
export function faultsOfPolicies(
  policies: readonly Policy[],
  waivers: readonly Waiver[],
  hosts: readonly Host[],
): readonly string[] {
  const names = policies.map(({ name }) => name)
  const known = [...new Set(hosts.flatMap(({ name, group }) => [name, group]))]
  return [
    ...names
      .filter((name, i) => names.indexOf(name) !== i)
      .map((name) => `policies: two policies have the name "${name}"`),
    ...waivers.flatMap(({ of, hosts: wanted = [] }) => [
      ...('policy' in of && !names.includes(of.policy)
        ? [`waivers: there is no policy "${of.policy}". ${didYouMean(of.policy, names) ?? ''}`.trim()]
        : []),
      ...wanted
        .filter((name) => !known.includes(name))
        .map((name) => `waivers: there is no host or group "${name}". ${didYouMean(name, known) ?? ''}`.trim()),
    ]),
  ]
}
