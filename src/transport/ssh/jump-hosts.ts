import { Unreachable } from '../errors.ts'
import type { Target } from '../transport.ts'

/** A login at a host or jump host. */
export interface Login {
  /** The reason why the connection ended. Never rejects; also resolves after `close`. */
  readonly lost: Promise<string>
  close(): Promise<void>
}

/** A login that several hosts may share. */
export interface SharedLogin<L> {
  readonly login: L
  /** Releases it; the last release closes it. */
  release(): Promise<void>
}

/** The way of one transport to log in: `S` are its settings of a host. */
interface LoginMethod<S, L extends Login> {
  settings(target: Target, stop?: AbortSignal): Promise<S>
  /** The jump hosts of a host, in the order in which they are passed. */
  proxyJump(settings: S): readonly Target[]
  /** Jump hosts with the same key share a login. */
  key(settings: S): string
  /** Logs in, directly or through a jump host. */
  login(settings: S, through: L | undefined, stop?: AbortSignal): Promise<L>
}

/** Logs in to hosts through their jump hosts. A login at a jump host is shared by all hosts behind it while any of them is open. */
export class JumpHosts<S, L extends Login> {
  readonly #method: LoginMethod<S, L>
  readonly #open = new Map<string, { readonly shared: Promise<SharedLogin<L>>; users: number }>()

  constructor(method: LoginMethod<S, L>) {
    this.#method = method
  }

  async login(target: Target, stop?: AbortSignal): Promise<SharedLogin<L>> {
    return this.#loginThrough(await this.#route(target, [], stop), stop)
  }

  /**
   * The settings of all hosts on the route, in the order in which they are passed. The whole route is resolved before the first login:
   * two hosts that are jump hosts of each other would wait for each other forever.
   */
  async #route(target: Target, passed: readonly Target[], stop?: AbortSignal): Promise<readonly S[]> {
    const settings = await this.#method.settings(target, stop)
    const jumps = this.#method.proxyJump(settings)
    // `Host *` with a ProxyJump matches the jump host too.
    const last = jumps.at(-1)?.host
    const itself =
      target.proxyJump === undefined && (last === target.host || last === target.alias) && last !== undefined
    const [first, ...others] = itself ? [] : jumps
    if (first === undefined) return [settings]
    if (passed.some((before) => isSame(before, first)))
      throw new Unreachable(`The jump hosts of ${passed[0]?.name} form a loop: ${first.name} occurs twice`, {
        reason: 'settings',
        next: 'See ProxyJump in ssh_config and proxyJump in the inventory.',
      })
    // The first jump host may have a route of its own; the others follow it.
    const start = await this.#route(first, [...passed, target], stop)
    const rest = await Promise.all(others.map((jump) => this.#method.settings({ ...jump, proxyJump: [] }, stop)))
    return [...start, ...rest, settings]
  }

  async #loginThrough(route: readonly S[], stop?: AbortSignal): Promise<SharedLogin<L>> {
    const settings = route.at(-1)
    if (settings === undefined) throw new TypeError('a route has at least one host')
    const before = route.slice(0, -1)
    const jump = before.length > 0 ? await this.#borrow(before, stop) : undefined
    try {
      const login = await this.#method.login(settings, jump?.login, stop)
      return {
        login,
        release: async () => {
          await login.close()
          await jump?.release()
        },
      }
    } catch (error) {
      await jump?.release()
      throw error
    }
  }

  async #borrow(route: readonly S[], stop?: AbortSignal): Promise<SharedLogin<L>> {
    const key = route.map((settings) => this.#method.key(settings)).join('\n')
    const jump = this.#open.get(key) ?? { shared: this.#loginThrough(route, stop), users: 0 }
    this.#open.set(key, jump)
    jump.users += 1
    const forget = () => {
      if (this.#open.get(key) === jump) this.#open.delete(key)
    }
    try {
      const { login, release } = await jump.shared
      void login.lost.then(forget)
      let released = false
      return {
        login,
        release: async () => {
          if (released) return
          released = true
          jump.users -= 1
          if (jump.users > 0) return
          forget()
          await release()
        },
      }
    } catch (error) {
      forget()
      throw error
    }
  }
}

function isSame(a: Target, b: Target): boolean {
  return a.host === b.host && a.port === b.port && a.user === b.user
}
