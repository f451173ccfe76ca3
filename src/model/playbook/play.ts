import type { Group, Host } from '../inventory/host.ts'
import type { Problem } from '../problem.ts'
import type { Answers, Question } from '../resource/question.ts'
import { callSite, type Source } from '../source.ts'
import type { BatchSize } from './batches.ts'
import type { Drain } from './drain.ts'
import type { Probe } from './probe.ts'
import type { Steps } from './steps.ts'

/** Steps for each host of a group. */
export interface Play<H extends Host = Host> {
  readonly type: 'play'
  readonly label: string
  readonly source: Source | undefined
  readonly hosts: readonly H[]
  /** The sizes of the batches; undefined for all hosts at once. */
  readonly serial: readonly BatchSize[] | undefined
  /** The maximum number of hosts in progress; undefined for batches. */
  readonly maxUnavailable: BatchSize | undefined
  /** Asks if the host serves no traffic. If all hosts say yes, all start at once, and none is drained. */
  readonly isIdle: Question<boolean> | undefined
  /** The number of hosts that may fail; if more fail, no further hosts start. Undefined for any number. */
  readonly maxFailures: BatchSize | undefined
  readonly anyErrorsFatal: boolean
  /** Returns the message for an unreachable host, if that is no failure. */
  readonly ignoreUnreachable: ((host: H) => string) | undefined
  /** The probe that must succeed on a host after its turn, before the next batch starts. */
  readonly readiness: ((host: H) => Probe) | undefined
  readonly drain: Drain<H> | undefined
  readonly tags: readonly string[]
  readonly steps: (host: H) => Steps
  /** The conditions of a gate; undefined for a play with steps. */
  readonly conditions: readonly Answers<Problem | undefined>[] | undefined
}

export interface PlayOptions<H extends Host> {
  readonly hosts: Pick<Group<H>, 'hosts'>
  /**
   * The number of hosts at a time. A list has the sizes of the first batches; its last size applies to all further ones.
   * @default all at once
   */
  readonly serial?: number | `${number}%` | readonly (number | `${number}%`)[]
  /** The maximum number of hosts in progress: the next host starts when one is done and ready. Replaces `serial`. */
  readonly maxUnavailable?: number | `${number}%`
  /**
   * Asks each host for the plan, and again before the first change: does it serve no traffic? If all hosts say yes, as on a new site,
   * `serial`, `maxUnavailable` and `drain` are ignored, and all hosts start at once.
   * @default it may serve traffic
   */
  readonly isIdle?: Question<boolean>
  /**
   * The number or percentage of hosts that may fail; if more fail, no further hosts start. An unreachable host counts as failed.
   * @default 0 with `serial` or `maxUnavailable`; otherwise all hosts start at once anyway
   */
  readonly maxFailures?: number | `${number}%`
  /** True if one failure ends the whole run: steps in progress are finished, and no host starts another one. @default false */
  readonly anyErrorsFatal?: boolean
  /**
   * Returns a message for an unreachable host, such as how to recover it. It is then no failure, as long as another host is reachable.
   * @default it is a failure
   */
  readonly ignoreUnreachable?: (host: H) => string
  /** The probe that must succeed on a host after its turn; if it fails, no further batch starts. */
  readonly readiness?: (host: H) => Probe
  /** Commands that other hosts run before a host's first change and after its last, such as taking it out of service. */
  readonly drain?: Drain<H>
  /** Tags of all steps of the play, for `--tags` and `--skip-tags`. */
  readonly tags?: readonly string[]
}

/**
 * A play: steps for each host of a group. Plays run in order; the hosts of a play run in parallel, in batches or with a maximum number in
 * progress. A host that fails does not stop the others of its batch, but in a play with `serial` or `maxUnavailable` no further hosts
 * start; these are skipped for the rest of the run.
 *
 * @example play('web', { hosts: web, serial: 1 }, (host) => [nginx({ listen: host })])
 */
export function play<H extends Host>(label: string, options: PlayOptions<H>, steps: (host: H) => Steps): Play {
  const { hosts, serial, maxUnavailable, isIdle, readiness, drain, tags = [] } = options
  const { anyErrorsFatal = false, ignoreUnreachable } = options
  if (serial !== undefined && maxUnavailable !== undefined)
    throw new TypeError(`play "${label}": serial and maxUnavailable are two ways to go over the hosts; give one`)
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
  // The functions of a play are called with its own hosts only.
  return Object.freeze(made) as unknown as Play
}

function refuseNone(where: string, size: BatchSize, least: number): void {
  const share = typeof size === 'string' && /^\d+(\.\d+)?%$/.test(size)
  if (share || (typeof size === 'number' && Number.isInteger(size) && size >= least)) return
  throw new TypeError(
    `${where} should be a whole number ≥ ${least} or a share such as "25%", got ${JSON.stringify(size)}`,
  )
}

/**
 * A play without steps that stops the run before later plays change anything: when one of its hosts has failed or is not reachable, or
 * when a condition returns a Problem.
 *
 * @param hosts those that must be reachable and must not have failed; with `ignoreUnreachable` as in a play
 * @param conditions are evaluated with the answers at this point of the run; false and undefined are left out
 * @example
 * gate('there is a primary', db, mapAnswers(askEach(db, isPrimary), (all) =>
 *   all.some(({ answer }) => answer) ? undefined : new Problem('No database host is the primary.')))
 */
export function gate(
  label: string,
  hosts: Pick<Group, 'hosts'> & Pick<PlayOptions<Host>, 'ignoreUnreachable'>,
  ...conditions: readonly (Answers<Problem | undefined> | false | undefined)[]
): Play {
  const { ignoreUnreachable } = hosts
  return Object.freeze({
    ...play(label, { hosts, anyErrorsFatal: true, ...(ignoreUnreachable && { ignoreUnreachable }) }, () => []),
    conditions: conditions.filter((one) => one !== false && one !== undefined),
  })
}
