import { setTimeout as sleep } from 'node:timers/promises'
import type { RunEvent } from '../../model/event.ts'
import { elapsed } from '../../shell/duration.ts'
import { HostLocked } from '../../transport/session/lock.ts'

interface LockWait {
  /** Milliseconds to wait for the lock of a host; 0 to fail at once. */
  readonly wait: number
  readonly host: string
  readonly emit: (event: RunEvent) => void
  readonly stop: AbortSignal | undefined
}

/**
 * Retries while another run holds the lock of the host, and reports each new holder.
 *
 * @param attempt takes the lock
 * @throws HostLocked after the time, or when the run is stopped
 */
export async function waitForLock<T>(attempt: () => Promise<T>, { wait, host, emit, stop }: LockWait): Promise<T> {
  const began = performance.now()
  let holder: string | undefined
  for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    try {
      return await attempt()
    } catch (error) {
      const left = wait - (performance.now() - began)
      if (!(error instanceof HostLocked) || left <= 0 || stop?.aborted) throw error
      if (error.holder !== holder)
        emit({ kind: 'waiting', play: '', host, for: `the lock: ${error.message} (at most ${elapsed(wait)})` })
      holder = error.holder
      await sleep(Math.min(pause, left), undefined, stop && { signal: stop }).catch(() => {})
    }
  }
}

/** Milliseconds between two attempts. */
const FIRST_PAUSE = 500
const LONGEST_PAUSE = 5_000
