import type { Throttle } from '../../model/resource/step.ts'

interface EnterOptions {
  readonly stop: AbortSignal
  /** Called before it waits, with the hosts that have the lock. */
  readonly onWait: (hosts: readonly string[]) => void
}

/** The limits of a run for the hosts that apply steps at once. */
export class Throttles {
  readonly #locks = new Map<string, Lock>()

  /**
   * Waits until fewer hosts than the limit have the lock. They get it in the order of their calls.
   *
   * @returns the function that gives the lock back; undefined if the run was stopped before
   */
  async enter(
    { lock: name, limit }: Throttle,
    host: string,
    { stop, onWait }: EnterOptions,
  ): Promise<(() => void) | undefined> {
    const lock = this.#locks.get(name) ?? { holders: [], waiting: [] }
    this.#locks.set(name, lock)
    if (stop.aborted) return undefined
    if (lock.holders.length < limit) lock.holders.push(host)
    else {
      onWait([...lock.holders])
      if (!(await turnOf({ host, limit }, lock, stop))) return undefined
    }
    return () => {
      lock.holders.splice(lock.holders.indexOf(host), 1)
      const next = lock.waiting[0]
      if (next && lock.holders.length < next.limit) next.start()
    }
  }
}

interface Lock {
  readonly holders: string[]
  /** The hosts that wait, in their order. */
  readonly waiting: Waiting[]
}

interface Waiting {
  readonly limit: number
  /** Gives it the lock. */
  readonly start: () => void
}

/** Resolves with true when the host has the lock, and with false if the run is stopped before. */
function turnOf(
  { host, limit }: { readonly host: string; readonly limit: number },
  { holders, waiting }: Lock,
  stop: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (isStarted: boolean) => {
      const at = waiting.indexOf(own)
      if (at === -1) return
      waiting.splice(at, 1)
      stop.removeEventListener('abort', giveUp)
      if (isStarted) holders.push(host)
      resolve(isStarted)
    }
    const giveUp = () => end(false)
    const own: Waiting = { limit, start: () => end(true) }
    waiting.push(own)
    stop.addEventListener('abort', giveUp)
  })
}
