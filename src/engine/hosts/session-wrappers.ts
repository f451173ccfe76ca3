import { setTimeout as sleep } from 'node:timers/promises'
import type { RunEvent } from '../../model/event.ts'
import type { Host } from '../../model/inventory/host.ts'
import { Problem } from '../../model/problem.ts'
import type { Confirmation } from '../../model/resource/command.ts'
import { elapsed } from '../../shell/duration.ts'
import { Secret } from '../../shell/secret.ts'
import type { Shell } from '../../shell/sh.ts'
import { Unreachable } from '../../transport/errors.ts'
import type { Session } from '../../transport/session/session.ts'
import { type HostScript, type OpenedSession, type OpenSession, runInParts, withRun } from './scripts.ts'

/** While a script waits for the proof that its host is still reachable, opens new connections to it. */
export function confirmingSession(session: Session, open: () => Promise<OpenedSession>): Session {
  return withRun(session, async (scripts, options) => {
    const confirmations = scripts.flatMap(({ confirm }) => confirm ?? [])
    if (confirmations.length === 0) return session.run(scripts, options)
    const done = new AbortController()
    const all = Promise.all(confirmations.map((one) => confirm(one, open, done.signal)))
    try {
      return await session.run(scripts, options)
    } finally {
      done.abort()
      await all
    }
  })
}

async function confirm(
  { ready, confirm }: Confirmation,
  open: () => Promise<OpenedSession>,
  done: AbortSignal,
): Promise<void> {
  while (!done.aborted) {
    // The connection that finds it ready may be older than the change; the next connection is not.
    if ((await succeeds(ready, open)) && !done.aborted && (await succeeds(confirm, open))) return
    await sleep(300)
  }
}

/** False also if no connection can be opened: the script on the host reports that. */
async function succeeds(script: Shell, open: () => Promise<OpenedSession>): Promise<boolean> {
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

/** Limits of questions to a host, in milliseconds. */
export interface ReadLimits {
  /** A question that takes longer is killed and has no answer. */
  readonly limit: number
  /** A question that takes longer is reported, and again after the same time. */
  readonly notice: number
}

interface LimitOptions {
  readonly host: string
  readonly limits: ReadLimits
  readonly emit: (event: RunEvent) => void
}

/** Limits the time of questions, and reports slow ones. */
export function limitedSession(session: Session, { host, limits, emit }: LimitOptions): Session {
  return withRun(session, async (scripts, options) => {
    const timers = new Set<NodeJS.Timeout>()
    const limited = (script: HostScript): HostScript => {
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
            const about = `${Secret.redact(asks)} (asked ${since} ago, at most ${elapsed(limits.limit)})`
            emit({ kind: 'waiting', play: '', host, for: `the answer to ${about}` })
          }, limits.notice)
          timers.add(timer)
        },
        onDone: () => clearInterval(timer),
      }
    }
    try {
      return await session.run(scripts.map(limited), options)
    } finally {
      for (const timer of timers) clearInterval(timer)
    }
  })
}

/** Returns the session of another host; undefined if that is not reachable. */
type SessionOf = (host: Host, scripts: readonly HostScript[]) => Promise<Session | undefined>

/** Runs the scripts of delegated steps on their own hosts, in the order of all scripts. */
export function delegatingSession(name: string, session: Session, sessionOf: SessionOf): Session {
  return withRun(session, async (scripts, options = {}) => {
    if (scripts.every(({ on }) => !on)) return session.run(scripts, options)
    return runInParts(scripts, options, isForSameHost, async (part) => {
      const host = part[0]?.on
      if (!host || host.name === name) return session.run(part, options)
      const other = await sessionOf(host, part)
      if (!other)
        throw new Problem(`${name}: ${host.name} cannot be reached, and steps of its turn are done there`, {
          next: 'See why it cannot be reached, then run the same command again: it goes on from there.',
        })
      return other.run(part, options).catch((error: unknown) => {
        // Only the other host is unreachable, not the host of this session.
        if (!(error instanceof Unreachable)) throw error
        const { message, details, next } = error
        throw new Problem(`${name}: ${message}, and steps of its turn are done there`, {
          details,
          ...(next && { next }),
          cause: error,
        })
      })
    })
  })
}

function isForSameHost(a: HostScript, b: HostScript): boolean {
  return a.on?.name === b.on?.name
}

/** Keeps sessions open after their use, for programs that ask the same hosts again and again. */
interface SessionPool {
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
