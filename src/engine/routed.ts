import type { Host } from '../model/host.ts'
import { Problem } from '../model/problem.ts'
import type { Opened, Result, Script, Session, TripOptions } from '../transport/session.ts'
import { Unreachable } from '../transport/unreachable.ts'

/** A script that may belong to another host than the one whose turn it is. */
export interface RoutedScript extends Script {
  readonly on?: Host
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

  get opened(): Promise<Opened> {
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
    const stretches = stretchesOf(scripts)
    if (!options.stopAtFailure)
      return (await Promise.all(stretches.map((one) => this.#there(one, options)))).flat()
    const results: Result[] = []
    for (const one of stretches) {
      const failed = results.some(({ code }, i) => code !== 0 && !scripts[i]?.mayFail)
      results.push(...(failed ? one.map(() => SKIPPED) : await this.#there(one, options)))
    }
    return results
  }

  /** @param scripts all for one host */
  async #there(scripts: readonly RoutedScript[], options: TripOptions): Promise<readonly Result[]> {
    const host = scripts[0]?.on
    if (!host || host.name === this.#name) return this.#own.run(scripts, options)
    const session = await this.#elsewhere(host, scripts)
    if (!session)
      throw new Problem(`${this.#name}: ${host.name} cannot be reached, and steps of its turn are done there`)
    return session.run(scripts, options).catch((error: unknown) => {
      // It is not the host whose turn it is that was lost.
      if (error instanceof Unreachable)
        throw new Problem(`${this.#name}: ${error.message}, and steps of its turn are done there`, {
          cause: error,
        })
      throw error
    })
  }
}

function stretchesOf(scripts: readonly RoutedScript[]): readonly (readonly RoutedScript[])[] {
  const stretches: RoutedScript[][] = []
  for (const script of scripts) {
    const last = stretches.at(-1)
    if (last && last[0]?.on?.name === script.on?.name) last.push(script)
    else stretches.push([script])
  }
  return stretches
}

const NOTHING = Buffer.alloc(0)
const SKIPPED: Result = { code: -1, stdout: NOTHING, stderr: NOTHING, skipped: true, timedOut: false }
