import { type OpenedSession, type OpenSession, withRun } from './scripts.ts'

/** Keeps sessions open after their use, for programs that ask the same hosts again and again. */
export interface SessionPool {
  readonly open: OpenSession
  /** Closes the sessions that are not in use. */
  readonly close: () => Promise<void>
}

/** A session whose run has thrown is not used again. Only for sessions without a lock. */
export function sessionPool(open: OpenSession): SessionPool {
  const free = new Map<string, OpenedSession[]>()
  return {
    open: async (host, options) => {
      const opened = free.get(host.name)?.pop() ?? (await open(host, options))
      let isBroken = false
      const session = withRun(
        opened.session,
        (scripts, tripOptions) =>
          opened.session.run(scripts, tripOptions).catch((error: unknown) => {
            isBroken = true
            throw error
          }),
        async () => {},
      )
      let closed: Promise<void> | undefined
      const close = async () => {
        if (isBroken) await opened.close()
        else free.set(host.name, [...(free.get(host.name) ?? []), opened])
      }
      return {
        session,
        close: () => {
          closed ??= close()
          return closed
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
