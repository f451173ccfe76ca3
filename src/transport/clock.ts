/** A limit that runs. */
export interface Limit {
  /** Starts it again from zero. After {@link end} this does nothing. */
  restart(): void
  /** Stops it until the next {@link restart}. */
  pause(): void
  /** Stops it for good. */
  end(): void
}

export interface LimitParts {
  /** Milliseconds. */
  readonly ms: number
  /** Called once when the time is over. */
  readonly expire: () => void
  /** A count that grows while the other side is active, such as bytes received. Each change restarts the limit. */
  readonly progress?: () => number
}

/**
 * Measures the time of limits. Time in which this process itself did not run (a blocked event loop, an overloaded or suspended
 * machine) does not count, and data that arrived meanwhile is read before a limit expires. A limit expires up to {@link TICK} late.
 */
export class Clock {
  readonly #running = new Set<RunningLimit>()
  #timer: NodeJS.Timeout | undefined
  #last = 0

  /** Starts a limit. It does not keep the process alive. */
  limit(parts: LimitParts): Limit {
    const limit = new RunningLimit(parts, {
      add: () => this.#add(limit),
      remove: () => this.#remove(limit),
    })
    limit.restart()
    return limit
  }

  /** Settles after so many milliseconds of counted time, or when the signal aborts. */
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
    // After the next poll for input and output: what has arrived during a stall is read by then.
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
  readonly #parts: LimitParts
  readonly #registration: Registration
  #counted = 0
  #seen: number | undefined
  #over = false

  constructor(parts: LimitParts, registration: Registration) {
    this.#parts = parts
    this.#registration = registration
  }

  restart(): void {
    if (this.#over) return
    this.#counted = 0
    this.#seen = this.#parts.progress?.()
    this.#registration.add()
  }

  pause(): void {
    this.#registration.remove()
  }

  end(): void {
    this.#over = true
    this.pause()
  }

  count(ms: number): void {
    const seen = this.#parts.progress?.()
    this.#counted = seen === this.#seen ? this.#counted + ms : 0
    this.#seen = seen
    if (this.#counted < this.#parts.ms) return
    this.end()
    this.#parts.expire()
  }
}

/** Milliseconds between two measurements. */
const TICK = 250
