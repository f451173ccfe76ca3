import type { Host } from '../../model/inventory/host.ts'
import { Problem } from '../../model/problem.ts'
import { Unreachable } from '../../transport/errors.ts'
import type { Result, Script, Session, ShellInfo, TripOptions } from '../../transport/session/session.ts'
import { type HostScript, runInParts } from './scripts.ts'

/** The session of another host, for its steps in somebody else's turn; undefined when it cannot be reached. */
export type SessionOf = (host: Host, scripts: readonly Script[]) => Promise<Session | undefined>

/** A host's session that takes along what is meant for other hosts: those scripts go there, at their place in the order. */
export class DelegatingSession implements Session {
  readonly #name: string
  readonly #own: Session
  readonly #elsewhere: SessionOf

  constructor(name: string, own: Session, elsewhere: SessionOf) {
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

  async run(scripts: readonly HostScript[], options: TripOptions = {}): Promise<readonly Result[]> {
    if (scripts.every(({ on }) => !on)) return this.#own.run(scripts, options)
    return runInParts(scripts, options, isForSame, (part) => this.#there(part, options))
  }

  /** @param scripts all for one host */
  async #there(scripts: readonly HostScript[], options: TripOptions): Promise<readonly Result[]> {
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

function isForSame(a: HostScript, b: HostScript): boolean {
  return a.on?.name === b.on?.name
}
