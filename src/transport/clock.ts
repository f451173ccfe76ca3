import type { Timeouts } from '../model/inventory/host.ts'
import { milliseconds } from '../shell/duration.ts'

/** A running time limit. */
export interface Limit {
  /** Restarts it from zero. Does nothing after {@link end}. */
  restart(): void
  /** Pauses it until the next {@link restart}. */
  pause(): void
  /** Ends it for good. */
  end(): void
}

export interface LimitOptions {
  /** Milliseconds. */
  readonly ms: number
  /** Called once, when the limit is reached. */
  readonly expire: () => void
  /** A counter that grows with activity of the other side, such as bytes received. Each change restarts the limit. */
  readonly progress?: () => number
}

/**
 * Measures time limits. Time in which this process did not run (blocked event loop, overloaded or suspended machine) does not count,
 * and data that arrived meanwhile is read before a limit expires. A limit expires up to {@link TICK} late.
 */
export class Clock {
  readonly #running = new Set<RunningLimit>()
  #timer: NodeJS.Timeout | undefined
  #last = 0

  /** Starts a limit. It does not keep the process alive. */
  limit(options: LimitOptions): Limit {
    const limit = new RunningLimit(options, { add: () => this.#add(limit), remove: () => this.#remove(limit) })
    limit.restart()
    return limit
  }

  /** Resolves after the given milliseconds of counted time, or when the signal aborts. */
  wait(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const limit = this.limit({ ms, expire: resolve })
      const stop = () => {
        limit.end()
        resolve()
      }
      if (signal?.aborted) stop()
      else signal?.addEventListener('abort', stop, { once: true })
    })
  }

  #add(limit: RunningLimit): void {
    this.#running.add(limit)
    if (this.#timer) return
    this.#last = performance.now()
    this.#timer = setInterval(() => this.#tick(), TICK).unref()
  }

  #remove(limit: RunningLimit): void {
    this.#running.delete(limit)
    if (this.#running.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tick(): void {
    const now = performance.now()
    const counted = Math.min(now - this.#last, TICK)
    this.#last = now
    const before = [...this.#running]
    // After the next poll for I/O, when data that arrived during a stall has been read.
    setImmediate(() => {
      for (const limit of before) if (this.#running.has(limit)) limit.count(counted)
    })
  }
}

interface Registration {
  readonly add: () => void
  readonly remove: () => void
}

class RunningLimit implements Limit {
  readonly #options: LimitOptions
  readonly #registration: Registration
  #counted = 0
  #progress: number | undefined
  #ended = false

  constructor(options: LimitOptions, registration: Registration) {
    this.#options = options
    this.#registration = registration
  }

  restart(): void {
    if (this.#ended) return
    this.#counted = 0
    this.#progress = this.#options.progress?.()
    this.#registration.add()
  }

  pause(): void {
    this.#registration.remove()
  }

  end(): void {
    this.#ended = true
    this.pause()
  }

  count(ms: number): void {
    const progress = this.#options.progress?.()
    this.#counted = progress === this.#progress ? this.#counted + ms : 0
    this.#progress = progress
    if (this.#counted < this.#options.ms) return
    this.end()
    this.#options.expire()
  }
}

/** Milliseconds between two measurements. */
const TICK = 250

/** Default limits of a session, in milliseconds. */
export const DEFAULTS = {
  /** From the first packet to an open TCP connection. */
  connect: 10_000,
  /** Silence of the host during a login. */
  login: 60_000,
  /** From the request of a shell to its first answer. */
  shell: 60_000,
} as const

export interface Keepalive {
  /** Milliseconds between two keepalive messages. */
  readonly interval: number
  /** Consecutive messages that may stay unanswered. */
  readonly misses: number
}

/** A message every 3 s; a host that sends no byte for 60 s is lost. */
export const KEEPALIVE: Keepalive = { interval: 3_000, misses: 19 }

/** Milliseconds for which a host may be silent. */
export function silenceLimit({ interval, misses }: Keepalive): number {
  return interval * (misses + 1)
}

/** The keepalive that detects a silence of this many milliseconds. */
export function keepaliveWithin(silence: number): Keepalive {
  const interval = Math.max(1, Math.min(KEEPALIVE.interval, silence / 4))
  return { interval, misses: Math.max(0, Math.ceil(silence / interval) - 1) }
}

export function scaledKeepalive(keepalive: Keepalive, factor: number): Keepalive {
  if (factor === 1) return keepalive
  return { ...keepalive, misses: Math.max(0, Math.ceil((keepalive.misses + 1) * factor) - 1) }
}

interface SessionTimeouts {
  /** Milliseconds until the shell must have answered. */
  readonly timeout: number
  readonly timeoutFactor: number
  readonly limits: ScriptLimits
}

/** Milliseconds of the limits that scripts on the host enforce; they read them as `PROVISION_CONFIRM_SECONDS` and so on. */
export type ScriptLimits = Readonly<Partial<Record<'confirm' | 'check' | 'probe', number>>>

export function sessionTimeouts({ factor = 1, shell, confirm, check, probe }: Timeouts): SessionTimeouts {
  const limits = Object.entries({ confirm, check, probe }).flatMap(([name, limit]) =>
    limit === undefined ? [] : [[name, milliseconds(limit)] as const],
  )
  return {
    timeout: (shell === undefined ? DEFAULTS.shell : milliseconds(shell)) * factor,
    timeoutFactor: factor,
    limits: Object.fromEntries(limits),
  }
}
