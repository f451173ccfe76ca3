import type { Duration } from '../../shell/duration.ts'
import { Shell } from '../../shell/sh.ts'
import type { Host } from '../inventory/host.ts'
import type { Probe } from '../playbook/probe.ts'
import { Problem } from '../problem.ts'
import { type Answers, type Ask, ask, askHost, mapAnswers, type Question } from '../resource/question.ts'
import { mapRead } from '../resource/read.ts'
import { callSite, type Source } from '../source.ts'
import { failureOf, runParallel } from './run-parallel.ts'

/** A condition that is true in a healthy system. Checking it changes nothing. */
export interface Check {
  readonly type: 'check'
  readonly source: Source | undefined
  /** The host that the check is about, or the group or hosts that it asks. */
  readonly about: string
  readonly label: string
  readonly asks: readonly Ask[]
  /** True to judge it even if a host that it asks is not reachable. */
  readonly ignoreUnreachable?: boolean
  /** @throws Problem for wrong answers, {@link Unknown} for missing ones */
  readonly judge: (answerTo: (ask: Ask) => unknown) => Verdict
}

export interface Verdict {
  /** Undefined if the check passes; an {@link Unknown} if the result is unknown. */
  readonly problem: Problem | undefined
  /** The time that the host took; undefined if it was not measured. */
  readonly ms: number | undefined
  /** A short result text. */
  readonly said?: string | undefined
}

/** Checks in nested lists; false, undefined and null are left out, as in `tls && check(…)`. */
export type Checks = Check | false | undefined | null | readonly Checks[]

/** The options of a {@link check}. */
export interface CheckOptions {
  /** The next step for the operator if the check fails, as a sentence or a command. It is not shown for an unknown result. */
  readonly next?: string
  /** Its time limit. It grows on a slow host and with `--timeout-factor`. @default '10s' */
  readonly timeout?: Duration
}

/**
 * Passes if the script ends with status 0 on that host. Status 75 (EX_TEMPFAIL) means that the script could not find out: the result is
 * unknown. It is also unknown if the script exceeds its limit or is killed. Any other status fails the check; the last lines of the output
 * are the reason. A check that does not pass is repeated once before its result is reported.
 *
 * The scripts of a host run as root, a few at a time. They must change nothing permanently. Programs in them need no time limits of their
 * own; the limit in seconds is in `$limit`. A program that has reached its own limit (curl: 28, timeout: 124) has not answered: end with
 * 75.
 *
 * @param how a script; or a probe, which is tried once
 * @example check(host, 'redirects HTTP to HTTPS', sh`curl -sS -o /dev/null -w '%{http_code}' ${url} | grep -qx 301`)
 * @example
 * check(host, 'has a short queue', sh`length=$(app queue --count) || { echo 'the queue server does not answer'; exit 75; }
 * [ "$length" -lt 100 ] || { echo "$length jobs wait"; exit 1; }`)
 */
export function check(host: Host, label: string, how: Shell | Probe, { next, timeout }: CheckOptions = {}): Check {
  const script = how instanceof Shell ? how : how.script
  const outcome = askHost(host, ask(label, runParallel({ script, ...(timeout !== undefined && { timeout }) })))
  return made(label, outcome, (found) => ({ problem: found && failureOf(found, next), ms: found?.ms }))
}

/** The options of {@link expect}. */
export interface ExpectOptions<T = unknown> {
  /** Returns a short result text while the check passes: `lb1 holds it`. `provision watch` shows it. */
  readonly says?: (answers: T) => string | undefined
  readonly next?: string
  /** The host or group that it is about. @default the hosts that are asked, or their group */
  readonly about?: string
  /**
   * True to judge it even if a host that it asks is not reachable; the answer of that host is undefined. The judge returns an
   * {@link Unknown} if it needs that answer.
   * @default false: the result is unknown then
   */
  readonly ignoreUnreachable?: boolean
}

/**
 * Passes if `judge` finds nothing wrong with the answers of hosts. It is judged only if all hosts that it asks are reachable; otherwise the
 * result is unknown.
 *
 * @param judge returns the fault, as a sentence or a Problem; an {@link Unknown} if the answers do not decide it; undefined if the check
 * passes. It may also throw a Problem
 * @example
 * expect('one host is the primary', askEach(db, isPrimary), (all) =>
 *   all.filter(({ answer }) => answer).length === 1 ? undefined : 'none is, or more than one')
 */
export function expect<T>(
  label: string,
  answers: Answers<T>,
  judge: (answers: T) => string | Problem | undefined,
  { next, about, says, ignoreUnreachable = false }: ExpectOptions<T> = {},
): Check {
  const verdict = (value: T): Verdict => {
    const wrong = judge(value)
    const problem = typeof wrong === 'string' ? new Problem(wrong, { ...(next && { next }) }) : wrong
    const said = problem ? undefined : says?.(value)
    return { problem, ms: undefined, ...(said !== undefined && { said }) }
  }
  return made(label, answers, verdict, { about, ignoreUnreachable })
}

/** The checks of nested lists. */
export function flatChecks(checks: Checks): readonly Check[] {
  if (!checks) return []
  return isList(checks) ? checks.flatMap(flatChecks) : [checks]
}

function made<T>(
  label: string,
  from: Answers<T>,
  verdict: (value: T) => Verdict,
  {
    about,
    ignoreUnreachable = false,
  }: Pick<ExpectOptions, 'ignoreUnreachable'> & { readonly about?: string | undefined } = {},
): Check {
  const { asks, value } = mapAnswers(from, verdict)
  return Object.freeze({
    type: 'check',
    source: callSite(),
    about: about ?? named(asks.map(({ host }) => host)),
    label,
    asks,
    ...(ignoreUnreachable && { ignoreUnreachable }),
    judge: value,
  })
}

function named(hosts: readonly Host[]): string {
  const names = [...new Set(hosts.map(({ name }) => name))]
  const groups = [...new Set(hosts.map(({ group }) => group))]
  return names.length > 1 && groups.length === 1 ? String(groups[0]) : names.join(', ')
}

function isList(checks: Check | readonly Checks[]): checks is readonly Checks[] {
  return Array.isArray(checks)
}

/** The output of a script that ended with status 0. */
export interface Output {
  readonly said: string
  /** The script ran between these two times, in milliseconds since 1970 by the controller's clock. */
  readonly from: number
  readonly to: number
}

/** The options of {@link output}. */
export interface OutputOptions {
  /** Its time limit, which grows like that of a {@link check}. @default '10s' */
  readonly within?: Duration
}

/**
 * A question whose answer is the output of a script: both streams, at most 64 KiB. The script runs together with those of checks, by the
 * same rules. If it does not end with status 0, the answer is the Problem: an {@link Unknown} if the script was too slow or ended with
 * status 75.
 *
 * @example
 * expect('runs kernel 6', askHost(host, output('its kernel', sh`uname -r`)), (kernel) =>
 *   !kernel || kernel instanceof Problem ? kernel : kernel.said.startsWith('6.') ? undefined : `it runs ${kernel.said}`)
 */
export function output(label: string, script: Shell, { within }: OutputOptions = {}): Question<Output | Problem> {
  const read = runParallel({ script, ...(within !== undefined && { within }), keep: 65_536 })
  return ask(
    label,
    mapRead(read, (outcome) => {
      const { said, from, to } = outcome
      return failureOf(outcome) ?? { said, from, to }
    }),
  )
}
