import type { Connection } from './connection.ts'
import type { Hop } from './hop.ts'
import { JumpHosts, type Reached } from './jump.ts'
import { Unreachable } from './unreachable.ts'
import type { Target } from './wire.ts'

export interface Guide {
  /** What is needed to log in there. */
  readonly hop: (target: Target) => Promise<Hop>
  /** Logs in, directly or from a jump host. */
  readonly knock: (hop: Hop, through: Connection | undefined) => Promise<Connection>
}

/** Finds the way to hosts, through the jump hosts before them. */
export class Roads {
  readonly #guide: Guide
  readonly #jumps = new JumpHosts()

  constructor(guide: Guide) {
    this.#guide = guide
  }

  async reach(target: Target, depth = 0): Promise<Reached> {
    if (depth > DEEPEST)
      throw new Unreachable(`The way to ${target.name} leads through too many jump hosts`, {
        obstacle: 'settings',
        next: 'Does a ProxyJump in ssh_config lead back to itself?',
      })
    const hop = await this.#guide.hop(target)
    const jump = await this.#jump(hop, { target, depth })
    try {
      const connection = await this.#guide.knock(hop, jump?.connection)
      return {
        connection,
        release: async () => {
          await connection.close()
          await jump?.release()
        },
      }
    } catch (error) {
      await jump?.release()
      throw error
    }
  }

  async #jump(
    { via }: Hop,
    { target, depth }: { target: Target; depth: number },
  ): Promise<Reached | undefined> {
    const last = via.at(-1)
    // `Host *` with a ProxyJump covers the jump host, too.
    if (last === undefined || last.host === target.host) return undefined
    const before = via.slice(0, -1)
    // The first jump host goes its own way; for the others, the list is the way.
    const next = before.length === 0 ? last : { ...last, via: before }
    return this.#jumps.borrow(JSON.stringify(next), () => this.reach(next, depth + 1))
  }
}

const DEEPEST = 8
