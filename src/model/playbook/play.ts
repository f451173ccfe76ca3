import type { Group, Host } from '../inventory/host.ts'
import type { Problem } from '../problem.ts'
import type { Answers, Question } from '../resource/question.ts'
import { callSite, type Source } from '../source.ts'
import type { BatchSize } from './batches.ts'
import type { Drain } from './drain.ts'
import type { Probe } from './probe.ts'
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
  /** The conditions of a gate; undefined for a play with steps. */
  readonly conditions: readonly Answers<Problem | undefined>[] | undefined
}

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
    conditions: undefined,
  }
  // The functions of a play are only ever called with its own hosts.
  return Object.freeze(made) as unknown as Play
}

function refuseNone(where: string, size: BatchSize, least: number): void {
  const share = typeof size === 'string' && /^\d+(\.\d+)?%$/.test(size)
  if (share || (typeof size === 'number' && Number.isInteger(size) && size >= least)) return
  throw new TypeError(
    `${where} should be a whole number ≥ ${least} or a share such as "25%", got ${JSON.stringify(size)}`,
  )
}
