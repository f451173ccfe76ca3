import type { Confirmation } from '../model/command.ts'
import type { Host } from '../model/host.ts'
import { Problem } from '../model/problem.ts'
import { Unreachable } from '../transport/errors.ts'
import type { Result, Script, Session, ShellInfo, TripOptions } from '../transport/session/session.ts'

/** A script that may belong to another host than the one whose turn it is. */
export interface RoutedScript extends Script {
  readonly on?: Host
  /** What it asks, in words, when it is a question: such a script has the limits of questions. */
  readonly asks?: string
  readonly confirm?: Confirmation
  /** It reboots its host, which may take so many milliseconds to come back. */
  readonly reboots?: number
}

/** The session of another host, for its steps in somebody else's turn; undefined when it cannot be reached. */
export type Elsewhere = (host: Host, scripts: readonly Script[]) => Promise<Session | undefined>

/** A host's session that takes along what is meant for other hosts: those scripts go there, at their place in the order. */
export class RoutedSession implements Session {
  readonly #name: string
  readonly #own: Session
  readonly #elsewhere: Elsewhere

  constructor(name: string, own: Session, elsewhere: Elsewhere) {
    this.#name = name
    this.#own = own
    this.#elsewhere = elsewhere
  }

  get opened(): Promise<ShellInfo> {
    return this.#own.opened
  }

  get trips(): number {
    return this.#own.trips
  }

  get traffic(): { readonly sent: number; readonly received: number } {
    return this.#own.traffic
  }

  close(): Promise<void> {
    return this.#own.close()
  }

  async run(scripts: readonly RoutedScript[], options: TripOptions = {}): Promise<readonly Result[]> {
    if (scripts.every(({ on }) => !on)) return this.#own.run(scripts, options)
    return inOrder(scripts, options, isForSame, (part) => this.#there(part, options))
  }

  /** @param scripts all for one host */
  async #there(scripts: readonly RoutedScript[], options: TripOptions): Promise<readonly Result[]> {
    const host = scripts[0]?.on
    if (!host || host.name === this.#name) return this.#own.run(scripts, options)
    const session = await this.#elsewhere(host, scripts)
    if (!session)
      throw new Problem(
        `${this.#name}: ${host.name} cannot be reached, and steps of its turn are done there`,
        {
          next: 'See why it cannot be reached, then run the same command again: it goes on from there.',
        },
      )
    return session.run(scripts, options).catch((error: unknown) => {
      // It is not the host whose turn it is that was lost.
      if (error instanceof Unreachable)
        throw new Problem(`${this.#name}: ${error.message}, and steps of its turn are done there`, {
          details: error.details,
          ...(error.next && { next: error.next }),
          cause: error,
        })
      throw error
    })
  }
}

/**
 * Runs scripts in parts, as if they were one trip: one part after another, none after a failure, where the trip stops at one; else
 * side by side.
 *
 * @param isSame whether a script goes into one part with that before it
 */
export async function inOrder<S extends Script>(
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

function isForSame(a: RoutedScript, b: RoutedScript): boolean {
  return a.on?.name === b.on?.name
}

const NOTHING = Buffer.alloc(0)
const SKIPPED: Result = { code: -1, stdout: NOTHING, stderr: NOTHING, skipped: true, timedOut: false }
