import type { Connection } from './connection.ts'
import { address, type Hop } from './hop.ts'
import { JumpHosts, type Reached } from './jump.ts'
import { Unreachable } from './unreachable.ts'
import type { Target } from './wire.ts'

export interface Guide {
  /** What is needed to log in there. */
  readonly hop: (target: Target, stop?: AbortSignal) => Promise<Hop>
  /** Logs in, directly or from a jump host. */
  readonly knock: (hop: Hop, through: Connection | undefined, stop?: AbortSignal) => Promise<Connection>
}

/** Finds the way to hosts, through the jump hosts before them. */
export class Roads {
  readonly #guide: Guide
  readonly #jumps = new JumpHosts()

  constructor(guide: Guide) {
    this.#guide = guide
  }

  async reach(target: Target, stop?: AbortSignal): Promise<Reached> {
    return this.#walk(await this.#road(target, [], stop), stop)
  }

  /**
   * All hops to the host, in the order in which they are passed. The whole road is known before the first step: two hosts
   * whose ways lead through each other would wait for each other for ever.
   */
  async #road(target: Target, passed: readonly Target[], stop?: AbortSignal): Promise<readonly Hop[]> {
    const hop = await this.#guide.hop(target, stop)
    // `Host *` with a ProxyJump covers the jump host, too.
    const last = hop.proxyJump.at(-1)?.host
    const itself =
      target.proxyJump === undefined && (last === target.host || last === target.alias) && last !== undefined
    const [first, ...others] = itself ? [] : hop.proxyJump
    if (first === undefined) return [hop]
    if (passed.some((before) => isSame(before, first)))
      throw new Unreachable(`The way to ${passed[0]?.name} leads in a circle: ${first.name} twice`, {
        obstacle: 'settings',
        next: 'See ProxyJump in ssh_config and via in the inventory.',
      })
    // The first jump host may have a way of its own; for the others, the list is the way.
    const start = await this.#road(first, [...passed, target], stop)
    const rest = await Promise.all(others.map((jump) => this.#guide.hop({ ...jump, proxyJump: [] }, stop)))
    return [...start, ...rest, hop]
  }

  async #walk(road: readonly Hop[], stop?: AbortSignal): Promise<Reached> {
    const hop = road.at(-1)
    if (hop === undefined) throw new TypeError('a road has a last hop')
    const before = road.slice(0, -1)
    const key = before.map((jump) => `${address(jump)} ${jump.hostKey.name} ${jump.hostKey.pin}`).join('\n')
    const jump = before.length > 0 ? await this.#jumps.borrow(key, () => this.#walk(before, stop)) : undefined
    try {
      const connection = await this.#guide.knock(hop, jump?.connection, stop)
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
}

function isSame(a: Target, b: Target): boolean {
  return a.host === b.host && a.port === b.port && a.user === b.user
}
