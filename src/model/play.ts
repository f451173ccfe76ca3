import type { Group, Host } from './host.ts'
import type { Probe } from './probe.ts'
import { callSite, type Source } from './source.ts'
import type { Entries, Stack, StackValues } from './stack.ts'
import type { Steps } from './steps.ts'

/** Steps for some hosts. */
export interface Play<H extends Host = Host> {
  readonly type: 'play'
  readonly label: string
  readonly source: Source | undefined
  readonly hosts: readonly H[]
  /** How many hosts at a time; undefined for all at once. */
  readonly serial: readonly BatchSize[] | undefined
  /** What must hold on a host after its turn, before the next batch begins. */
  readonly healthy: ((host: H) => Probe) | undefined
  readonly steps: (host: H) => Steps
}

/** A number of hosts, or a share of the play's. */
export type BatchSize = number | `${number}%`

export interface PlayOptions<H extends Host> {
  readonly hosts: Pick<Group<H>, 'hosts'>
  /** How many hosts at a time. A list gives the sizes of the first batches, its last word all further ones. @default all at once */
  readonly serial?: number | `${number}%` | readonly (number | `${number}%`)[]
  /** What must hold on a host after its turn; while it does not, no further batch begins. */
  readonly healthy?: (host: H) => Probe
}

/**
 * A play: steps for each host of a group. Plays run one after another, the hosts of a play side by side or in batches.
 * When a host fails in a play with `serial`, the batches after it are left alone.
 *
 * @example play('web', { hosts: web, serial: 1 }, (host) => [nginx({ listen: host })])
 */
export function play<H extends Host>(
  label: string,
  options: PlayOptions<H>,
  steps: (host: H) => Steps,
): Play {
  const { hosts, serial, healthy } = options
  const made: Play<H> = {
    type: 'play',
    label,
    source: callSite(),
    hosts: hosts.hosts,
    serial: serial === undefined || typeof serial === 'object' ? serial : [serial],
    healthy,
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
    const size = sizeOf(serial[Math.min(made.length, serial.length - 1)] ?? 1, hosts.length)
    made.push(hosts.slice(at, at + size))
    at += size
  }
  return made
}

function sizeOf(size: BatchSize, all: number): number {
  const count = typeof size === 'number' ? size : Math.floor((all * Number(size.slice(0, -1))) / 100)
  if (!Number.isFinite(count)) throw new TypeError(`serial: "${size}" is neither a number nor a percentage`)
  return Math.max(1, Math.floor(count))
}

/** What to do to a site, in order. */
export interface Playbook<S extends Entries = Entries> {
  readonly type: 'playbook'
  readonly stack: Stack<S>
  readonly plays: (values: StackValues<S>) => readonly Play[]
}

/** A playbook for every inventory that fits the stack. */
export function playbook<S extends Entries>(
  of: Stack<S>,
  plays: (values: StackValues<S>) => readonly Play[],
): Playbook<S> {
  return Object.freeze({ type: 'playbook', stack: of, plays })
}
