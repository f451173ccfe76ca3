import type { Script, Session, TripOptions } from '../../transport/session/session.ts'
import type { OpenSession } from './hosts.ts'
import type { OpenedSession } from './scripts.ts'

/** Sessions that are kept open when they are let go, for who asks the same hosts again and again. */
export interface SessionPool {
  readonly open: OpenSession
  /** Ends those that nobody uses. */
  readonly close: () => Promise<void>
}

/** A session in which something went wrong is not used again. Only for `look`: a session that changes a host holds its lock. */
export function sessionPool(open: OpenSession): SessionPool {
  const free = new Map<string, OpenedSession[]>()
  return {
    open: async (host, purpose) => {
      const opened = free.get(host.name)?.pop() ?? (await open(host, purpose))
      const session = new PooledSession(opened.session)
      let over: Promise<void> | undefined
      const close = async () => {
        if (session.broken) await opened.close()
        else free.set(host.name, [...(free.get(host.name) ?? []), opened])
      }
      return {
        session,
        close: () => {
          over ??= close()
          return over
        },
      }
    },
    close: async () => {
      const all = [...free.values()].flat()
      free.clear()
      await Promise.all(all.map(({ close }) => close()))
    },
  }
}

/** Knows whether its session is still good; ends it only when it is told so by its owner. */
class PooledSession implements Session {
  broken = false
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  get opened() {
    return this.#session.opened
  }

  get trips() {
    return this.#session.trips
  }

  get traffic() {
    return this.#session.traffic
  }

  async run(scripts: readonly Script[], options?: TripOptions) {
    try {
      return await this.#session.run(scripts, options)
    } catch (error) {
      this.broken = true
      throw error
    }
  }

  async close() {}
}
