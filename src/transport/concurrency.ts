/** Lets so many through at once; the others wait in line. */
export class Semaphore {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(width: number) {
    this.#free = width
  }

  /** @returns what gives the place back; calling it again does nothing. */
  async enter(): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    let inside = true
    return () => {
      if (!inside) return
      inside = false
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free += 1
    }
  }

  async pass<T>(work: () => Promise<T>): Promise<T> {
    const leave = await this.enter()
    try {
      return await work()
    } finally {
      leave()
    }
  }
}

/** A promise that is settled from outside. A rejection that nobody waits for is no error. */
export class Deferred<T> {
  readonly promise: Promise<T>
  state: 'waiting' | 'resolved' | 'rejected' = 'waiting'
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
    if (this.state !== 'waiting') return
    this.state = 'resolved'
    this.#resolve(value)
  }

  reject(error: Error): void {
    if (this.state !== 'waiting') return
    this.state = 'rejected'
    this.#reject(error)
  }
}
