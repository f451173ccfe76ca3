import { setTimeout as sleep } from 'node:timers/promises'
import type { Confirmation } from '../../model/resource/command.ts'
import type { Shell } from '../../shell/sh.ts'
import type { Session, TripOptions } from '../../transport/session/session.ts'
import type { HostScript, OpenedSession } from './scripts.ts'

/** A host's session that comes to the host over new connections for as long as one of its scripts waits for them. */
export function confirmingSession(session: Session, open: () => Promise<OpenedSession>): Session {
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
    close: () => session.close(),
    async run(scripts: readonly HostScript[], options: TripOptions = {}) {
      const waiting = scripts.flatMap(({ confirm }) => confirm ?? [])
      if (waiting.length === 0) return session.run(scripts, options)
      const over = new AbortController()
      const coming = Promise.all(waiting.map((one) => come(one, { open, over: over.signal })))
      try {
        return await session.run(scripts, options)
      } finally {
        over.abort()
        await coming
      }
    },
  }
}

interface Way {
  readonly open: () => Promise<OpenedSession>
  readonly over: AbortSignal
}

async function come({ ready, confirm: arrive }: Confirmation, { open, over }: Way): Promise<void> {
  while (!over.aborted) {
    // The connection that saw it may be older than the change; the next one cannot be.
    if ((await holds(ready, open)) && !over.aborted && (await holds(arrive, open))) return
    await sleep(300)
  }
}

/** False too when nobody gets in: the script on the host, which then waits in vain, is the one to tell. */
async function holds(script: Shell, open: Way['open']): Promise<boolean> {
  try {
    const { session, close } = await open()
    try {
      const [result] = await session.run([{ script }])
      return result?.code === 0
    } finally {
      await close()
    }
  } catch {
    return false
  }
}
