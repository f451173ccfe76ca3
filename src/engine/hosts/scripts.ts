import type { Host } from '../../model/inventory/host.ts'
import { Problem } from '../../model/problem.ts'
import { type Command, type Confirmation, scriptOf } from '../../model/resource/command.ts'
import { milliseconds } from '../../shell/duration.ts'
import { Secret } from '../../shell/secret.ts'
import type { Clock } from '../../transport/clock.ts'
import type { Result, Script, Session, TripOptions } from '../../transport/session/session.ts'

/** A script of a host's turn; another host may run it. */
export interface HostScript extends Script {
  /** @default the host of the session */
  readonly on?: Host
  /** The title of a question. Such a script has the limit of questions. */
  readonly asks?: string
  /** Set if it may cut off SSH: a new connection has to confirm that it did not. */
  readonly confirm?: Confirmation
  /** Set if it reboots its host: the milliseconds that the host may take to come back. */
  readonly reboots?: number
}

/** A session, and the connection below it. */
export interface OpenedSession {
  readonly session: Session
  /** Ends the session and its connection; may be called again. Never rejects. */
  readonly close: () => Promise<void>
  /** Multiplies the limits of the engine for this host. @default 1 */
  readonly timeoutFactor?: number
  /** Measures the limits. @default a new clock */
  readonly clock?: Clock
}

export interface SessionOptions {
  /** True to hold the lock of the host, which a session that changes it needs. */
  readonly lock: boolean
  /** Closes the session at once; only before it changes anything. */
  readonly stop?: AbortSignal
}

export type OpenSession = (host: Host, options: SessionOptions) => Promise<OpenedSession>

/** The same session with another `run`. */
export function withRun(
  session: Session,
  run: (scripts: readonly HostScript[], options?: TripOptions) => Promise<readonly Result[]>,
  close = () => session.close(),
): Session {
  return {
    get opened() {
      return session.opened
    },
    get trips() {
      return session.trips
    },
    get traffic() {
      return session.traffic
    },
    run,
    close,
  }
}

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

/**
 * Runs scripts in parts that together behave like one trip: in order and none after a failure where the trip stops at one, otherwise in
 * parallel.
 *
 * @param isSame true if a script belongs to the same part as the one before it
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

export function toProblem(error: unknown, host: string): Problem {
  if (error instanceof Problem) return error
  return new Problem(`${host}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
}
