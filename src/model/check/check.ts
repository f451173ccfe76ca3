import type { Duration } from '../../shell/duration.ts'
import { Shell } from '../../shell/sh.ts'
import type { Host } from '../inventory/host.ts'
import type { Probe } from '../playbook/probe.ts'
import { Problem } from '../problem.ts'
import { type Answers, type Ask, ask, askHost, mapAnswers } from '../resource/question.ts'
import { callSite, type Source } from '../source.ts'
import { failureOf, runParallel } from './run-parallel.ts'

/** Something that holds in a healthy system. Asking changes nothing. */
export interface Check {
  readonly type: 'check'
  readonly source: Source | undefined
  /** The host that it is about, or the group or hosts that are asked. */
  readonly about: string
  readonly label: string
  readonly asks: readonly Ask[]
  /** Whether it is judged although a host that it asks cannot be reached. */
  readonly ignoreUnreachable?: boolean
  /** @throws Problem for wrong answers, {@link Unknown} for missing ones */
  readonly judge: (answerTo: (ask: Ask) => unknown) => Verdict
}

export interface Verdict {
  /** Undefined when it holds; an {@link Unknown} when that is not known. */
  readonly problem: Problem | undefined
  /** The time that the host took; undefined when that was not measured. */
  readonly ms: number | undefined
  /** The finding in a few words. */
  readonly said?: string | undefined
}

/** Checks, and values that are left out (`tls && check(…)`), in lists timeout lists. */
export type Checks = Check | false | undefined | null | readonly Checks[]

/** The options of a {@link check}. */
export interface CheckOptions {
  /** What a person does when it fails, as a sentence or a command. It is not shown for an unknown answer. */
  readonly next?: string
  /** Its limit. It is stretched on a slow host and by `--timeout-factor`. @default '10s' */
  readonly timeout?: Duration
}

/**
 * Holds when the script ends with status 0 on that host. With status 75 (EX_TEMPFAIL) the script says that it could not find out: the
 * answer is unknown. So it is when the script takes longer than its limit, or is killed. With any other status the check fails. The
 * last lines of its output say why. A check that does not hold is asked once more before its result is told.
 *
 * The scripts of a host run as root, a few at a time. They must change nothing that stays. Programs in them need no limits of their
 * own; one that wants a limit finds `$limit`, the seconds that the script has. A program whose own limit was reached (curl: 28,
 * timeout: 124) has not answered: end with 75.
 *
 * @param how a script; or a probe, which is tried once
 * @example check(host, 'redirects HTTP to HTTPS', sh`curl -sS -o /dev/null -w '%{http_code}' ${url} | grep -qx 301`)
 * @example
 * check(host, 'has a short queue', sh`length=$(app queue --count) || { echo 'the queue server does not answer'; exit 75; }
 * [ "$length" -lt 100 ] || { echo "$length jobs wait"; exit 1; }`)
 */
export function check(
  host: Host,
  label: string,
  how: Shell | Probe,
  { next, timeout }: CheckOptions = {},
): Check {
  const script = how instanceof Shell ? how : how.script
  const outcome = askHost(
    host,
    ask(label, runParallel({ script, ...(timeout !== undefined && { timeout }) })),
  )
  return made(label, outcome, (found) => ({ problem: found && failureOf(found, next), ms: found?.ms }))
}

/** The options of {@link expect}. */
export interface ExpectOptions<T = unknown> {
  /** A finding that is worth showing while the check holds, in a few words: `lb1 holds it`. `provision watch` shows it. */
  readonly says?: (answers: T) => string | undefined
  readonly next?: string
  /** The host or group that it is about. @default the hosts that are asked, or their group */
  readonly about?: string
  /**
   * Whether it is judged although a host that it asks cannot be reached; that answer is undefined. The judge returns an {@link Unknown} where
   * it would be needed. @default false, the result is unknown then
   */
  readonly ignoreUnreachable?: boolean
}

/**
 * Holds when nothing is wrong with the answers of hosts. It is judged only when all hosts that it asks could be reached; otherwise
 * the result is unknown.
 *
 * @param judge returns what is wrong, as a sentence or a Problem; an {@link Unknown} when the answers do not tell; undefined when the
 * check holds. It may also throw a Problem
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

/** The checks of lists timeout lists. */
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
