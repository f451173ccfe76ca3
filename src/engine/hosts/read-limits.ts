import type { RunEvent } from '../../model/event.ts'
import { elapsed } from '../../shell/duration.ts'
import { Secret } from '../../shell/secret.ts'
import type { Session } from '../../transport/session/session.ts'
import type { HostScript } from './scripts.ts'

/** How long a question to a host may take. */
export interface ReadLimits {
  /** Milliseconds after which it is killed, and has no answer. */
  readonly limit: number
  /** Milliseconds after which, and as often again, an event says that it still runs. */
  readonly notice: number
}

export const READ_LIMITS: ReadLimits = { limit: 60_000, notice: 20_000 }

interface Watching {
  readonly host: string
  readonly limits: ReadLimits
  readonly emit: (event: RunEvent) => void
}

/** A session whose questions have a limit, and are reported while they take long. */
export function watched(session: Session, { host, limits, emit }: Watching): Session {
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
    async run(scripts: readonly HostScript[], options) {
      const timers = new Set<NodeJS.Timeout>()
      const watch = (script: HostScript): HostScript => {
        const { asks } = script
        if (asks === undefined) return script
        let timer: NodeJS.Timeout | undefined
        return {
          ...script,
          timeout: limits.limit,
          onStart: () => {
            const began = performance.now()
            timer = setInterval(() => {
              const since = elapsed(Math.round((performance.now() - began) / 1000) * 1000)
              const words = `${Secret.redact(asks)} (asked ${since} ago, at most ${elapsed(limits.limit)})`
              emit({ kind: 'waiting', play: '', host, for: `the answer to ${words}` })
            }, limits.notice)
            timers.add(timer)
          },
          onDone: () => clearInterval(timer),
        }
      }
      try {
        return await session.run(scripts.map(watch), options)
      } finally {
        for (const timer of timers) clearInterval(timer)
      }
    },
  }
}
