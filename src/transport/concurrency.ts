/** Allows a number of holders at once; others wait in order of arrival. */
export class Semaphore {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(size: number) {
    this.#free = size
  }

  /** @returns releases it; further calls do nothing */
  async acquire(): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    let held = true
    return () => {
      if (!held) return
      held = false
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free += 1
    }
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    const release = await this.acquire()
    try {
      return await work()
    } finally {
      release()
    }
  }
}

/** A promise that is settled from outside. An unhandled rejection of it is not an error. */
export class Deferred<T> {
  readonly promise: Promise<T>
  state: 'pending' | 'resolved' | 'rejected' = 'pending'
  #resolve: (value: T) => void = () => {}
  #reject: (error: Error) => void = () => {}

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.promise.catch(() => {})
  }

  resolve(value: T): void {
    if (this.state !== 'pending') return
    this.state = 'resolved'
    this.#resolve(value)
  }

  reject(error: Error): void {
    if (this.state !== 'pending') return
    this.state = 'rejected'
    this.#reject(error)
  }
}
