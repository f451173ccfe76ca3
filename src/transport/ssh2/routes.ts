import { Unreachable } from '../errors.ts'
import { JumpHosts, type SharedLogin } from '../ssh/jump-hosts.ts'
import type { Target } from '../transport.ts'
import type { SshClient } from './client.ts'
import { address, type LoginSettings } from './settings.ts'

export interface Guide {
  /** What is needed to log in there. */
  readonly settings: (target: Target, stop?: AbortSignal) => Promise<LoginSettings>
  /** Logs in, directly or from a jump host. */
  readonly connect: (
    settings: LoginSettings,
    through: SshClient | undefined,
    stop?: AbortSignal,
  ) => Promise<SshClient>
}

/** Finds the way to hosts, through the jump hosts before them. */
export class Roads {
  readonly #guide: Guide
  readonly #jumps = new JumpHosts()

  constructor(guide: Guide) {
    this.#guide = guide
  }

  async reach(target: Target, stop?: AbortSignal): Promise<SharedLogin> {
    return this.#walk(await this.#road(target, [], stop), stop)
  }

  /**
   * All hosts to the host, in the order in which they are passed. The whole road is known before the first step: two hosts
   * whose ways lead through each other would wait for each other for ever.
   */
  async #road(
    target: Target,
    passed: readonly Target[],
    stop?: AbortSignal,
  ): Promise<readonly LoginSettings[]> {
    const settings = await this.#guide.settings(target, stop)
    // `Host *` with a ProxyJump covers the jump host, too.
    const last = settings.proxyJump.at(-1)?.host
    const itself =
      target.proxyJump === undefined && (last === target.host || last === target.alias) && last !== undefined
    const [first, ...others] = itself ? [] : settings.proxyJump
    if (first === undefined) return [settings]
    if (passed.some((before) => isSame(before, first)))
      throw new Unreachable(`The way to ${passed[0]?.name} leads in a circle: ${first.name} twice`, {
        reason: 'settings',
        next: 'See ProxyJump in ssh_config and via in the inventory.',
      })
    // The first jump host may have a way of its own; for the others, the list is the way.
    const start = await this.#road(first, [...passed, target], stop)
    const rest = await Promise.all(
      others.map((jump) => this.#guide.settings({ ...jump, proxyJump: [] }, stop)),
    )
    return [...start, ...rest, settings]
  }

  async #walk(road: readonly LoginSettings[], stop?: AbortSignal): Promise<SharedLogin> {
    const settings = road.at(-1)
    if (settings === undefined) throw new TypeError('a road has a last hop')
    const before = road.slice(0, -1)
    const key = before.map((jump) => `${address(jump)} ${jump.hostKey.name} ${jump.hostKey.pin}`).join('\n')
    const jump = before.length > 0 ? await this.#jumps.borrow(key, () => this.#walk(before, stop)) : undefined
    try {
      const connection = await this.#guide.connect(settings, jump?.connection, stop)
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
