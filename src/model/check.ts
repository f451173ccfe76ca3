import { Shell } from '../shell/sh.ts'
import type { Duration } from '../text/duration.ts'
import { type Ask, ask, type Derived, derive, on } from './ask.ts'
import type { Host } from './host.ts'
import type { Probe } from './probe.ts'
import { Problem } from './problem.ts'
import { type Outcome, sideBySide } from './side-by-side.ts'
import { callSite, type Source } from './source.ts'

/** Something that holds in a healthy system. Asking changes nothing. */
export interface Check {
  readonly type: 'check'
  readonly source: Source | undefined
  /** Whom it tells of: a host, or the group or hosts that are asked. */
  readonly about: string
  readonly label: string
  readonly asks: readonly Ask[]
  /** @throws what is wrong with the answers, when they make no sense */
  readonly judge: (answerTo: (ask: Ask) => unknown) => Verdict
}

export interface Verdict {
  /** Undefined when it holds. */
  readonly problem: Problem | undefined
  /** How long the host took to find out; undefined when that was not measured. */
  readonly ms: number | undefined
  /** What was seen, in a few words. */
  readonly said?: string | undefined
}

/** Checks, and what is to be left out (`tls && check(…)`), in lists within lists. */
export type Checks = Check | false | undefined | null | readonly Checks[]

/** What more is said of a {@link check}. */
export interface CheckOptions {
  /** What a person does about it, as a sentence or a command. */
  readonly next?: string
  /** How long it may take, after which it does not hold. @default '10s' */
  readonly within?: Duration
}

/**
 * Holds when the script ends with status 0 on that host; otherwise its last words say why not. All scripts of a host run side by
 * side, once, as root. They must change nothing that stays.
 *
 * @param how a script; or a probe, which is tried once
 * @example check(host, 'sends HTTP to HTTPS', sh`curl -sS -o /dev/null -w '%{http_code}' ${url} | grep -qx 301`)
 */
export function check(
  host: Host,
  label: string,
  how: Shell | Probe,
  { next, within = '10s' }: CheckOptions = {},
): Check {
  const script = how instanceof Shell ? how : how.script
  const outcome = on(host, ask(label, sideBySide({ script, within })))
  return made(label, outcome, (found) => ({
    problem: found && problemOf(found, label, next),
    ms: found?.ms,
  }))
}

/** What more is said of what is expected: see {@link expect}. */
export interface ExpectOptions<T = unknown> {
  /** What is to be known of it while it holds, in a few words: `lb1 holds it`. `provision watch` tells it. */
  readonly says?: (answers: T) => string | undefined
  readonly next?: string
  /** Whom it tells of. @default the hosts that are asked, or their group */
  readonly about?: string
}

/**
 * Holds when there is nothing wrong with what hosts have answered. It is judged only when all that were asked could be reached:
 * nobody knows what the missing answer would be.
 *
 * @param judge says what is wrong, as a sentence or a Problem; undefined when it holds. It may also throw it
 * @example
 * expect('one host is the primary', each(db, isPrimary), (all) =>
 *   all.filter(({ answer }) => answer).length === 1 ? undefined : 'nobody is, or more than one')
 */
export function expect<T>(
  label: string,
  answers: Derived<T>,
  judge: (answers: T) => string | Problem | undefined,
  { next, about, says }: ExpectOptions<T> = {},
): Check {
  const verdict = (value: T): Verdict => {
    const wrong = judge(value)
    const problem = typeof wrong === 'string' ? new Problem(wrong, { ...(next && { next }) }) : wrong
    const said = problem ? undefined : says?.(value)
    return { problem, ms: undefined, ...(said !== undefined && { said }) }
  }
  return made(label, answers, verdict, about)
}

/** The checks of lists within lists. */
export function flatChecks(checks: Checks): readonly Check[] {
  if (!checks) return []
  return isList(checks) ? checks.flatMap(flatChecks) : [checks]
}

function made<T>(label: string, from: Derived<T>, verdict: (value: T) => Verdict, about?: string): Check {
  const { asks, value } = derive(from, verdict)
  return Object.freeze({
    type: 'check',
    source: callSite(),
    about: about ?? named(asks.map(({ host }) => host)),
    label,
    asks,
    judge: value,
  })
}

function named(hosts: readonly Host[]): string {
  const names = [...new Set(hosts.map(({ name }) => name))]
  const groups = [...new Set(hosts.map(({ group }) => group))]
  return names.length > 1 && groups.length === 1 ? String(groups[0]) : names.join(', ')
}

function problemOf({ code, words, timedOut }: Outcome, label: string, next: string | undefined) {
  if (code === 0) return undefined
  const [what = timedOut ? 'it did not come to an end' : `it ended with status ${code}`, ...details] = words
    .split('\n')
    .filter((line) => line.trim() !== '')
  return new Problem(what || label, { details, ...(next && { next }) })
}

function isList(checks: Check | readonly Checks[]): checks is readonly Checks[] {
  return Array.isArray(checks)
}
