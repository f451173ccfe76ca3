import { Busy } from './failures.ts'

/** The maximum of concurrent transactions. More would only wait in the database. */
export const maxTransactions = 10
const maxWaiting = 500

/** Limits the concurrency; waiting calls run in the order of arrival. */
export class Gate {
  #free = maxTransactions
  readonly #waiting: (() => void)[] = []

  /**
   * @param until time of `performance.now()` at which waiting ends
   * @throws Busy if no slot is free until then
   */
  async pass<T>(work: () => Promise<T>, until: number): Promise<T> {
    await this.#enter(until)
    try {
      return await work()
    } finally {
      this.#leave()
    }
  }

  async #enter(until: number): Promise<void> {
    if (this.#free > 0) {
      this.#free--
      return
    }
    if (this.#waiting.length >= maxWaiting) throw new Busy(`${maxWaiting} requests wait already`)
    await new Promise<void>((resolve, reject) => {
      const enter = () => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(
        () => {
          this.#waiting.splice(this.#waiting.indexOf(enter), 1)
          reject(new Busy('no connection to the database was free in time'))
        },
        Math.max(0, until - performance.now()),
      )
      this.#waiting.push(enter)
    })
  }

  /** Passes the slot directly to the next waiting call, so that a later call cannot overtake it. */
  #leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}
