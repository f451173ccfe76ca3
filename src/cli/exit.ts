import type { Verified } from '../model/check/verification.ts'
import { type RunStatus, type Summary, statusOf } from '../model/event.ts'

/** Exit statuses. 64 and 70 are those of sysexits.h. */
export const EXIT = {
  ok: 0,
  failed: 1,
  drift: 2,
  unreachable: 3,
  unknown: 4,
  refused: 5,
  usage: 64,
  internal: 70,
  interrupted: 130,
} as const

/** The table that `--help` and the manual page show. */
export const EXIT_CODES: readonly (readonly [code: number, meaning: string])[] = [
  [EXIT.ok, 'success'],
  [EXIT.failed, 'a step, a handler, a check or a command failed; a thing is not managed (why)'],
  [EXIT.drift, 'a dry run found changes (--check, plan, drift)'],
  [EXIT.unreachable, 'a host is unreachable; nothing failed on the others'],
  [EXIT.unknown, 'the result is unknown (verify, doctor, watch, why)'],
  [EXIT.refused, 'a policy or a protected step refuses the changes; nothing was changed'],
  [EXIT.usage, 'invalid input; nothing was done'],
  [EXIT.internal, 'an error in provision itself'],
  [EXIT.interrupted, 'interrupted'],
]

export function exitCodeOfRun(summary: Summary): number {
  return EXIT_OF_STATUS[statusOf(summary)]
}

const EXIT_OF_STATUS: Readonly<Record<RunStatus, number>> = {
  ok: EXIT.ok,
  changes: EXIT.drift,
  failed: EXIT.failed,
  unreachable: EXIT.unreachable,
  refused: EXIT.refused,
  interrupted: EXIT.interrupted,
} as const

/** A failure comes before an unreachable host, and that before an unknown result. */
export function exitCodeOfVerification({ findings, unreachable }: Verified): number {
  if (findings.some(({ outcome }) => outcome === 'failed')) return EXIT.failed
  if (unreachable.size > 0) return EXIT.unreachable
  return findings.some(({ outcome }) => outcome === 'unknown') ? EXIT.unknown : EXIT.ok
}

/** For commands that count hosts. */
export function exitCodeOfCounts(count: { readonly failed: number; readonly unreachable: number }): number {
  if (count.failed > 0) return EXIT.failed
  return count.unreachable > 0 ? EXIT.unreachable : EXIT.ok
}

/**
 * Handles Ctrl-C and SIGTERM: the first one aborts the signal, the second one ends the process.
 *
 * @param message printed at the first one
 */
export function onInterrupt(message = STOPPING): { readonly signal: AbortSignal; readonly done: () => void } {
  const stop = new AbortController()
  const interrupt = () => {
    if (stop.signal.aborted) process.exit(EXIT.interrupted)
    stop.abort()
    process.stderr.write(message)
  }
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
  return { signal: stop.signal, done: () => void process.off('SIGINT', interrupt).off('SIGTERM', interrupt) }
}

const STOPPING =
  '\nStopping: running steps finish, and drained hosts return to service. Press Ctrl-C again to stop now.\n'
