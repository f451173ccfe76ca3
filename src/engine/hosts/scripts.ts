import type { Host } from '../../model/inventory/host.ts'
import { Problem } from '../../model/problem.ts'
import { type Command, type Confirmation, scriptOf } from '../../model/resource/command.ts'
import { milliseconds } from '../../shell/duration.ts'
import { Secret } from '../../shell/secret.ts'
import type { Clock } from '../../transport/clock.ts'
import type { Result, Script, Session, TripOptions } from '../../transport/session/session.ts'

/** A script that may belong to another host than the one whose turn it is. */
export interface HostScript extends Script {
  readonly on?: Host
  /** What it asks, in words, when it is a question: such a script has the limits of questions. */
  readonly asks?: string
  readonly confirm?: Confirmation
  /** It reboots its host, which may take so many milliseconds to come back. */
  readonly reboots?: number
}

/**
 * Runs scripts in parts, as if they were one trip: one part after another, none after a failure, where the trip stops at one; else
 * side by side.
 *
 * @param isSame whether a script goes into one part with that before it
 */
export async function runInParts<S extends Script>(
  scripts: readonly S[],
  { stopAtFailure, stop }: TripOptions,
  isSame: (script: S, before: S) => boolean,
  run: (part: readonly S[]) => Promise<readonly Result[]>,
): Promise<readonly Result[]> {
  const parts: S[][] = []
  for (const script of scripts) {
    const last = parts.at(-1)
    const before = last?.at(-1)
    if (last && before && isSame(script, before)) last.push(script)
    else parts.push([script])
  }
  if (!stopAtFailure) return (await Promise.all(parts.map(run))).flat()
  const results: Result[] = []
  for (const part of parts) {
    const failed = stop?.aborted || results.some(({ code }, i) => code !== 0 && !scripts[i]?.mayFail)
    results.push(...(failed ? part.map(() => SKIPPED) : await run(part)))
  }
  return results
}

const NOTHING = Buffer.alloc(0)

const SKIPPED: Result = { code: -1, stdout: NOTHING, stderr: NOTHING, skipped: true, timedOut: false }

export function hostScript(command: Command): HostScript {
  const { input, as, on, confirm, reboots, timeout = '10m', inline = false } = command
  return {
    script: scriptOf(command),
    mode: inline ? 'inline' : 'isolated',
    timeout: milliseconds(timeout),
    ...(input && { input: input instanceof Secret ? Buffer.from(input.reveal()) : input }),
    ...(as !== undefined && { as }),
    ...(on && { on }),
    ...(reboots !== undefined && { reboots: milliseconds(reboots) }),
    ...(confirm && { confirm }),
  }
}

export function toProblem(error: unknown, host: string): Problem {
  if (error instanceof Problem) return error
  return new Problem(`${host}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
}

/** A session, and the link that it goes over. */
export interface OpenedSession {
  readonly session: Session
  /** Ends the session and all that was opened for it; may be called again. Never rejects. */
  readonly close: () => Promise<void>
  /** Multiplies the limits of the engine for this host. @default 1 */
  readonly timeoutFactor?: number
  /** Measures them. @default a clock of its own */
  readonly clock?: Clock
}
