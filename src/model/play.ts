import type { Drain } from './around.ts'
import type { Question } from './ask.ts'
import type { Fields, Values } from './fields.ts'
import { type FlagsGiven, flagValues, refuseSecretFlags } from './flags.ts'
import type { Group, Host } from './host.ts'
import type { Probe } from './probe.ts'
import { callSite, type Source } from './source.ts'
import type { Entries, InventorySchema, InventoryValues } from './stack.ts'
import type { Steps } from './steps.ts'

/** Steps for some hosts. */
export interface Play<H extends Host = Host> {
  readonly type: 'play'
  readonly label: string
  readonly source: Source | undefined
  readonly hosts: readonly H[]
  /** How many hosts at a time; undefined for all at once. */
  readonly serial: readonly BatchSize[] | undefined
  /** How many hosts are in flight; undefined when they go in batches. */
  readonly maxUnavailable: BatchSize | undefined
  /** Whether a host serves nobody; while all say so, they are begun at once. */
  readonly isIdle: Question<boolean> | undefined
  /** How many hosts may fail before no further ones are begun; undefined for any number. */
  readonly maxFailures: BatchSize | undefined
  readonly anyErrorsFatal: boolean
  /** What is said of a host that does not answer, where that is no failure. */
  readonly ignoreUnreachable: ((host: H) => string) | undefined
  /** What must hold on a host after its turn, before the next batch begins. */
  readonly readiness: ((host: H) => Probe) | undefined
  readonly drain: Drain<H> | undefined
  readonly tags: readonly string[]
  readonly steps: (host: H) => Steps
}

/** A number of hosts, or a share of the play's. */
export type BatchSize = number | `${number}%`

export interface PlayOptions<H extends Host> {
  readonly hosts: Pick<Group<H>, 'hosts'>
  /** How many hosts at a time. A list gives the sizes of the first batches, its last word all further ones. @default all at once */
  readonly serial?: number | `${number}%` | readonly (number | `${number}%`)[]
  /** How many hosts are in flight: the next begins as soon as one is done and healthy. Instead of `serial`. */
  readonly maxUnavailable?: number | `${number}%`
  /**
   * Asked of each host when the plan is made: does it serve nobody? While all of them say so, as on a site that is new, there is nobody to
   * keep a service for: `serial` and `window` are passed over, and all hosts are begun at once. @default it may serve somebody
   */
  readonly isIdle?: Question<boolean>
  /**
   * How many hosts, or which share of them, may fail before no further ones are begun. One that cannot be reached counts.
   * @default 0 with `serial` or `window`; otherwise all are begun at once anyway
   */
  readonly maxFailures?: number | `${number}%`
  /** Whether one failure ends the whole run: what is in hand is finished, and no host begins anything else. @default false */
  readonly anyErrorsFatal?: boolean
  /**
   * That a host does not answer is no failure while another one does: it is what such a play is for. Gives what is said of it, such as how
   * to bring it back. @default it is a failure
   */
  readonly ignoreUnreachable?: (host: H) => string
  /** What must hold on a host after its turn; while it does not, no further batch begins. */
  readonly readiness?: (host: H) => Probe
  /** What other hosts do before a host's first change and after its last: taking it out of service, for example. */
  readonly drain?: Drain<H>
  /** Words for `--tags` and `--skip-tags`; they hold for all steps of the play. */
  readonly tags?: readonly string[]
}

/**
 * A play: steps for each host of a group. Plays run one after another, the hosts of a play side by side, in batches or in a
 * window that moves over them. A host that fails does not stop the others of its batch, but, in a play with `serial` or `window`,
 * further ones are not begun; hosts that were not begun are left alone for the rest of the run.
 *
 * @example play('web', { hosts: web, serial: 1 }, (host) => [nginx({ listen: host })])
 */
export function play<H extends Host>(
  label: string,
  options: PlayOptions<H>,
  steps: (host: H) => Steps,
): Play {
  const { hosts, serial, maxUnavailable, isIdle, readiness, drain, tags = [] } = options
  const { anyErrorsFatal = false, ignoreUnreachable } = options
  if (serial !== undefined && maxUnavailable !== undefined)
    throw new TypeError(
      `play "${label}": serial and maxUnavailable are two ways to go over the hosts; give one`,
    )
  const sizes = serial === undefined || typeof serial === 'object' ? serial : [serial]
  const { maxFailures = sizes || maxUnavailable !== undefined ? 0 : undefined } = options
  for (const [name, size, least] of [
    ...(sizes ?? []).map((one) => ['serial', one, 1] as const),
    ['maxUnavailable', maxUnavailable, 1] as const,
    ['maxFailures', maxFailures, 0] as const,
  ])
    if (size !== undefined) refuseNone(`play "${label}": ${name}`, size, least)
  const made: Play<H> = {
    type: 'play',
    label,
    source: callSite(),
    hosts: hosts.hosts,
    serial: sizes,
    maxUnavailable,
    isIdle,
    maxFailures,
    anyErrorsFatal,
    ignoreUnreachable,
    readiness,
    drain,
    tags,
    steps,
  }
  // The functions of a play are only ever called with its own hosts.
  return Object.freeze(made) as unknown as Play
}

/** The hosts of a play in batches. */
export function batches<H>(
  hosts: readonly H[],
  serial: readonly BatchSize[] | undefined,
): readonly (readonly H[])[] {
  if (!serial || serial.length === 0) return hosts.length === 0 ? [] : [hosts]
  const made: H[][] = []
  let at = 0
  while (at < hosts.length) {
    const size = atLeastOne(serial[Math.min(made.length, serial.length - 1)] ?? 1, hosts.length)
    made.push(hosts.slice(at, at + size))
    at += size
  }
  return made
}

/** How many hosts a window or a batch of this size holds, of so many. */
export function atLeastOne(size: BatchSize, all: number): number {
  return Math.max(1, countOf(size, all))
}

/** A share is rounded down: of 3 hosts, 50% is one. */
export function countOf(size: BatchSize, all: number): number {
  const count = Math.floor(typeof size === 'number' ? size : (all * Number(size.slice(0, -1))) / 100)
  if (!Number.isFinite(count)) throw new TypeError(`serial: "${size}" is neither a number nor a percentage`)
  return count
}

function refuseNone(where: string, size: BatchSize, least: number): void {
  const share = typeof size === 'string' && /^\d+(\.\d+)?%$/.test(size)
  if (share || (typeof size === 'number' && Number.isInteger(size) && size >= least)) return
  throw new TypeError(
    `${where} should be a whole number ≥ ${least} or a share such as "25%", got ${JSON.stringify(size)}`,
  )
}

/** What to do to a site, in order. */
export interface Playbook<S extends Entries = Entries> {
  readonly type: 'playbook'
  readonly schema: InventorySchema<S>
  /** What it is for; `--help` tells it. */
  readonly description: string | undefined
  /** What the command line may say to it. */
  readonly flags: Fields
  /** Done with the flags before the inventory is asked for. */
  readonly prepare: ((given: FlagsGiven, how: Preparing) => void) | undefined
  /** @throws Problem when the flags that were given do not fit */
  readonly plays: (values: InventoryValues<S>, given?: FlagsGiven) => readonly Play[]
}

export interface Preparing {
  /** Whether the run is only to look, so that nothing may be kept of what is prepared. */
  readonly check: boolean
}

export interface PlaybookOptions<F extends Fields> {
  /** What it is for, in a sentence or two. */
  readonly description?: string
  /** What is said to it on the command line, in the words of a stack: `flags: { release: text }` is `--release 42`. */
  readonly flags?: F
  /** Done on this machine before the inventory is asked for, whose values may depend on it. Not again for `resume`; `plan` refuses such a playbook. */
  readonly prepare?: (flags: Values<F>, how: Preparing) => void
}

/**
 * A playbook for every inventory that fits the stack.
 *
 * @example
 * playbook(
 *   inventorySchema({ web: hosts() }),
 *   ({ web }, { words }) => [play('motd', { hosts: web }, () => [file('/etc/motd', words)])],
 *   { flags: { words: text } },
 * )
 */
export function playbook<S extends Entries, const F extends Fields = Record<never, never>>(
  of: InventorySchema<S>,
  plays: (values: InventoryValues<S>, flags: Values<F>) => readonly Play[],
  { description, flags, prepare }: PlaybookOptions<F> = {},
): Playbook<S> {
  const fields = flags ?? {}
  refuseSecretFlags(fields)
  // Each value was held against its field.
  const valuesOf = (given: FlagsGiven) => flagValues(fields, given) as Values<F>
  return Object.freeze({
    type: 'playbook',
    schema: of,
    description,
    flags: fields,
    prepare: prepare && ((given: FlagsGiven, how: Preparing) => prepare(valuesOf(given), how)),
    plays: (values: InventoryValues<S>, given: FlagsGiven = {}) => plays(values, valuesOf(given)),
  })
}
