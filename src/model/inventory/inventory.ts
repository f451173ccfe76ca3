import { type Duration, milliseconds } from '../../shell/duration.ts'
import { didYouMean } from '../../shell/nearest.ts'
import { faultsOfHooks, type Hooks } from '../hook.ts'
import type { Policy } from '../policy/policy.ts'
import { faultsOfPolicies, type Waiver } from '../policy/waiver.ts'
import { Problem } from '../problem.ts'
import { type Fields, faultsOf, isAddress, isPromise, isRecord, promised } from './fields.ts'
import { group, type Host } from './host.ts'
import {
  type Entries,
  type GroupSchema,
  type InventoryInput,
  type InventorySchema,
  type InventoryValues,
  type MatchesSchema,
  missingEntries,
} from './schema.ts'

/** The hosts and values of one site, checked against the schema of its playbooks. */
export interface Inventory<S extends Entries = Entries> {
  readonly type: 'inventory'
  readonly schema: InventorySchema<S>
  readonly values: InventoryValues<S>
  /** In the order of the groups; a host of two groups is listed once for each. */
  readonly hosts: readonly Host[]
  readonly policies: readonly Policy[]
  readonly waivers: readonly Waiver[]
  /** The path of the file of {@link InventoryOptions.allowedSigners}. */
  readonly allowedSigners: string | undefined
  readonly hooks: Hooks
}

/** Rules for the plans and runs of a site, and the functions that are called after them. */
export interface InventoryOptions {
  /** Rules that each plan and each run must keep. @default none */
  readonly policies?: readonly Policy[]
  /** Exceptions from policies and from protected steps, each until a time. @default none */
  readonly waivers?: readonly Waiver[]
  /**
   * The path of a file of allowed signers, as ssh-keygen(1) describes it, relative to where the command is run: `apply` rejects plans that
   * none of them has signed.
   * @default plans need no signature
   */
  readonly allowedSigners?: string
  /** Called after runs: `{ onFailure: webhook(…) }`. @default none */
  readonly hooks?: Hooks
}

/**
 * Creates an inventory: the hosts and values of one site. A var is set on the host or on its group; the host overrides the group.
 *
 * @param options policies for plans and runs of the site, exceptions from them, and hooks
 * @throws Problem that lists all faults, each with its path
 * @example
 * inventory(inventorySchema({ domain: hostname, web: hosts({ port }) }), {
 *   domain: 'shop.example.com',
 *   web: { port: 8080, hosts: { web1: { address: '10.0.1.1' }, web2: { address: '10.0.1.2', port: 8081 } } },
 * })
 */
export function inventory<S extends Entries, const I extends InventoryInput<S>>(
  of: InventorySchema<S>,
  given: I & MatchesSchema<S, I>,
  { policies = [], waivers = [], allowedSigners, hooks = {} }: InventoryOptions = {},
): Inventory<S> {
  const all: Readonly<Record<string, unknown>> = given
  const faults = faultsOfInventory(of.entries, all)
  if (faults.length > 0) throw refused(faults)
  const entries = Object.entries(of.entries).map(
    ([key, entry]) => [key, entry && 'type' in entry ? group(key, members(key, entry, all)) : all[key]] as const,
  )
  const values = Object.freeze(Object.fromEntries(entries)) as InventoryValues<S>
  const hosts = entries.flatMap(([, value]) =>
    isRecord(value) && Array.isArray(value['hosts']) ? (value['hosts'] as Host[]) : [],
  )
  const broken = [...of.faults(values), ...faultsOfPolicies(policies, waivers, hosts), ...faultsOfHooks(hooks)]
  if (broken.length > 0) throw refused(broken)
  return Object.freeze({ type: 'inventory', schema: of, values, hosts, policies, waivers, allowedSigners, hooks })
}

function refused(faults: readonly string[]): Problem {
  return new Problem(`The inventory does not fit its stack.`, {
    details: faults,
    next: 'Nothing was done yet. Fix the inventory, then run the same command again.',
  })
}

function members(key: string, { vars }: GroupSchema, all: Readonly<Record<string, unknown>>): readonly Host[] {
  if (all[key] === undefined) return []
  const { hosts, ...shared } = all[key] as GroupGiven
  return Object.entries(hosts).map(([name, host]) => {
    const own = Object.keys(vars)
      .map((v) => [v, host[v] ?? shared[v]] as const)
      .filter(([, value]) => value !== undefined)
    const ssh = { ...record(all['ssh']), ...record(shared['ssh']), ...record(host['ssh']) }
    const become = { ...record(all['become']), ...record(shared['become']), ...record(host['become']) }
    const timeouts = { ...record(all['timeouts']), ...record(shared['timeouts']), ...record(host['timeouts']) }
    return Object.freeze({
      ...Object.fromEntries(own),
      name,
      group: key,
      address: String(host['address']),
      ssh,
      become,
      ...(Object.keys(timeouts).length > 0 && { timeouts }),
    })
  })
}

type GroupGiven = Readonly<Record<string, unknown>> & {
  readonly hosts: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

function record(given: unknown): Readonly<Record<string, unknown>> {
  return isRecord(given) ? given : {}
}

// --- checks at run time, for values that the compiler does not see ---

const COMMON = ['ssh', 'become', 'timeouts']

function faultsOfInventory(entries: Entries, all: Readonly<Record<string, unknown>>): readonly string[] {
  return [
    ...Object.entries(entries).flatMap(([key, entry]) =>
      'type' in entry ? faultsOfGroup(key, entry, all[key]) : faultsOf(entry, all[key], key),
    ),
    ...strangers(all, [...Object.keys(entries), ...COMMON], ''),
    ...faultsOfTimeouts('timeouts', all['timeouts']),
    ...twice(entries, all),
  ]
}

function faultsOfGroup(key: string, { vars, atLeast, optional }: GroupSchema, given: unknown): readonly string[] {
  if (optional && given === undefined) return []
  if (isPromise(given)) return [promised(key)]
  if (isRecord(given) && isPromise(given['hosts'])) return [promised(`${key}.hosts`)]
  if (!isRecord(given) || !isRecord(given['hosts']))
    return [`${key}: is missing; it should be a group: { hosts: { … } }`]
  const named = Object.entries(given['hosts'])
  const few = named.length < atLeast ? [`${key}.hosts: should be at least ${atLeast}, got ${named.length}`] : []
  return [
    ...few,
    ...strangers(given, [...Object.keys(vars), ...COMMON, 'hosts'], `${key}.`),
    ...faultsOfTimeouts(`${key}.timeouts`, given['timeouts']),
    ...named.flatMap(([name, host]) => faultsOfHost(`${key}.hosts.${name}`, vars, given, host)),
  ]
}

function faultsOfHost(
  path: string,
  vars: Fields,
  shared: Readonly<Record<string, unknown>>,
  host: unknown,
): readonly string[] {
  if (isPromise(host)) return [promised(path)]
  if (!isRecord(host)) return [`${path}: should be a host: { address: … }`]
  const { address } = host
  if (isPromise(address)) return [promised(`${path}.address`)]
  const reachable = typeof address === 'string' && isAddress(address)
  return [
    ...(reachable ? [] : [`${path}.address: should be an IP address such as 10.0.1.1, got ${JSON.stringify(address)}`]),
    ...Object.entries(vars).flatMap(([v, field]) => faultsOf(field, host[v] ?? shared[v], `${path}.${v}`)),
    ...strangers(host, [...Object.keys(vars), ...COMMON, 'address'], `${path}.`),
    ...faultsOfTimeouts(`${path}.timeouts`, host['timeouts']),
  ]
}

function strangers(
  given: Readonly<Record<string, unknown>>,
  known: readonly string[],
  path: string,
): readonly string[] {
  return Object.keys(given)
    .filter((key) => !known.includes(key))
    .map((key) => `${path}${key}: is not known here. ${didYouMean(key, known) ?? `There are ${known.join(', ')}.`}`)
}

/** Returns the faults of hosts that are in several groups: each name must have one address, and each address one name. */
function twice(entries: Entries, all: Readonly<Record<string, unknown>>): readonly string[] {
  const byName = new Map<string, string>()
  const byAddress = new Map<string, string>()
  const faults: string[] = []
  for (const key of Object.keys(entries)) {
    const given = all[key]
    if (!isRecord(given) || !isRecord(given['hosts'])) continue
    for (const [name, host] of Object.entries(given['hosts'])) {
      const address = isRecord(host) ? String(host['address']) : ''
      if ((byName.get(name) ?? address) !== address)
        faults.push(`${key}.hosts.${name}: has another address in another group`)
      if ((byAddress.get(address) ?? name) !== name)
        faults.push(`${key}.hosts.${name}.address: ${address} belongs to ${byAddress.get(address)} already`)
      byName.set(name, address)
      byAddress.set(address, name)
    }
  }
  return faults
}

const DURATIONS = ['login', 'keepalive', 'shell', 'confirm', 'read', 'check', 'probe']

const KNOWN = ['factor', ...DURATIONS]

/** Returns the faults in the `timeouts` of a site, a group or a host. */
function faultsOfTimeouts(path: string, given: unknown): readonly string[] {
  if (given === undefined) return []
  if (!isRecord(given)) return [`${path}: should be limits: { factor: 2 }`]
  return Object.entries(given).flatMap(([name, value]) => {
    if (!KNOWN.includes(name)) return [`${path}.${name}: is not known here. There are ${KNOWN.join(', ')}.`]
    if (value === undefined) return []
    const right = name === 'factor' ? isFactor(value) : isDuration(value)
    const wanted = name === 'factor' ? 'a number above 0' : 'a duration above 0 such as 90s or 2m'
    return right ? [] : [`${path}.${name}: should be ${wanted}, got ${JSON.stringify(value)}`]
  })
}

function isFactor(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value > 0
}

function isDuration(value: unknown): boolean {
  if (typeof value !== 'number' && typeof value !== 'string') return false
  try {
    // Throws if it is not a duration.
    return milliseconds(value as Duration) > 0
  } catch {
    return false
  }
}

/** @throws Problem if the inventory lacks an entry that the playbook or verification requires */
export function assertSchemaFits<S extends Entries>(
  { type, schema }: { readonly type: 'playbook' | 'verification'; readonly schema: InventorySchema<S> },
  { values }: Inventory<S>,
): void {
  const missing = missingEntries(schema, values)
  if (missing.length === 0) return
  throw new Problem(`The ${type} asks for ${missing.join(', ')}, which the inventory does not have`, {
    next: `Give both the same schema, or take a ${type} that was made for this one.`,
  })
}
