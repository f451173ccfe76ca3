import { setTimeout as sleep } from 'node:timers/promises'
import { Unreachable } from '../errors.ts'

export interface RetryOptions {
  /** Further attempts after the first. */
  readonly retries: number
  /** Milliseconds that all attempts together may take. Waiting for our own turn is not counted. */
  readonly timeout: number
}

/**
 * A host that hangs up before it greets us has too many guests (MaxStartups): we come again, after a while that is longer each
 * time and different for each of us. Nothing else is tried twice.
 *
 * @param attempt is given the clock to start when its turn has come
 */
export async function retryDropped<T>(
  attempt: (begin: () => void) => Promise<T>,
  { retries, timeout }: RetryOptions,
): Promise<T> {
  let spent = 0
  for (let failures = 0; ; failures++) {
    let began: number | undefined
    try {
      return await attempt(() => {
        began = performance.now()
      })
    } catch (error) {
      if (began !== undefined) spent += performance.now() - began
      const dropped = error instanceof Unreachable && error.reason === 'dropped'
      if (!dropped || failures >= retries || spent > timeout) throw error
      await sleep(FIRST_PAUSE * 2 ** failures * (0.5 + Math.random()))
    }
  }
}

const FIRST_PAUSE = 150
