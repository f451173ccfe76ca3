/** A promise that is settled from outside. A rejection that nobody waits for is no error. */
export class Promised<T> {
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
