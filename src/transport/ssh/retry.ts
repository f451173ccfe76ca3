import { setTimeout as sleep } from 'node:timers/promises'
import type { Semaphore } from '../concurrency.ts'
import { throwIfStopped, Unreachable } from '../errors.ts'

export interface LoginOptions {
  /** Limits concurrent logins. */
  readonly semaphore: Semaphore
  /** Further attempts after the first. */
  readonly retries: number
  /** Milliseconds that all attempts together may take, without the time in the queue. */
  readonly timeout: number
  readonly stop: AbortSignal | undefined
}

/**
 * Logs in when the semaphore allows it. A host that closes the connection before the greeting has too many pending logins (MaxStartups):
 * the login is retried after a random pause that grows. No other error is retried.
 */
export async function loginWithRetries<T>(
  login: () => Promise<T>,
  { semaphore, retries, timeout, stop }: LoginOptions,
): Promise<T> {
  let spent = 0
  for (let failures = 0; ; failures++) {
    throwIfStopped(stop)
    const release = await semaphore.acquire()
    const began = performance.now()
    try {
      throwIfStopped(stop)
      return await login()
    } catch (error) {
      spent += performance.now() - began
      const dropped = error instanceof Unreachable && error.reason === 'dropped'
      if (!dropped || failures >= retries || spent > timeout) throw error
    } finally {
      release()
    }
    await sleep(FIRST_PAUSE * 2 ** failures * (0.5 + Math.random()))
  }
}

const FIRST_PAUSE = 150
