import { setTimeout as sleep } from 'node:timers/promises'
import { shown } from '../config.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { requestId } from '../request-id.ts'
import { CommitUnknown, hasEnded, isPassing, NoPrimary, primaryIsGone } from './failures.ts'
import { Gate } from './gate.ts'
import type { Pool, Query } from './pool.ts'
import type { Primary } from './primary.ts'

export type Work<T> = (query: Query) => Promise<T>

export interface DatabaseParts {
  readonly primary: Primary
  readonly log: Log
  readonly metrics: Metrics
  /** Milliseconds for which a request waits for a primary. @default 5000 */
  readonly hold?: number
}

/** Milliseconds for one attempt. */
const tryLimit = 6000
/** Milliseconds for a request with all attempts: below nginx's proxy_read_timeout of 10 s. */
const requestLimit = 9000
/** Milliseconds without an answer after which the primary is checked. */
const doubtAfter = 1000

/** Runs transactions on the current primary. A change of primary delays them, but does not fail them. */
export class Database {
  readonly #parts: DatabaseParts
  readonly #gate = new Gate()

  constructor(parts: DatabaseParts) {
    this.#parts = parts
  }

  /** @throws NoPrimary | Lost | Slow | Busy | Refused */
  async read<T>(work: Work<T>): Promise<T> {
    return this.#keepTrying((pool, limit) => pool.session(work, limit))
  }

  /**
   * @param work runs in one transaction. It may run again although its commit succeeded unnoticed, so it must be
   * idempotent
   * @throws CommitUnknown if the outcome of the last commit is unknown and no time is left to find out; otherwise as
   * `read`
   */
  async write<T>(work: Work<T>): Promise<T> {
    return this.#keepTrying((pool, limit) => pool.session((query) => transaction(query, work), limit))
  }

  async #keepTrying<T>(once: (pool: Pool, limit: number) => Promise<T>): Promise<T> {
    const { primary, log, metrics, hold = 5000 } = this.#parts
    const began = performance.now()
    const until = began + hold
    const attempt = (on: Pool) => once(on, Math.min(tryLimit, began + requestLimit - performance.now()))
    let unknown: CommitUnknown | undefined
    for (let tries = 1; ; tries++) {
      let pool: Pool | undefined
      try {
        pool = await within(until, primary.pool())
        return await this.#watched(pool, attempt, until)
      } catch (error) {
        if (error instanceof CommitUnknown) {
          unknown = error
          metrics.count('notes_database_unknown_total')
        }
        const reason = error instanceof CommitUnknown ? error.cause : error
        if (pool !== undefined && primaryIsGone(reason)) primary.gone(pool, String(reason))
        const again = isPassing(reason) && performance.now() < until
        if (!again) throw unknown ?? error
        metrics.count('notes_database_retries_total')
        log.info('transaction tried again', {
          requestId: requestId(),
          tries,
          database: pool === undefined ? undefined : shown(pool.endpoint),
          reason: String(reason),
        })
        await sleep(20 + Math.random() * Math.min(40 * tries, 200))
      }
    }
  }

  async #watched<T>(pool: Pool, once: (pool: Pool) => Promise<T>, until: number): Promise<T> {
    return this.#gate.pass(async () => {
      const watch = setInterval(() => void this.#parts.primary.doubt(pool), doubtAfter)
      try {
        return await once(pool)
      } finally {
        clearInterval(watch)
      }
    }, until)
  }
}

/**
 * Uses three round trips instead of one implicit transaction: an error before COMMIT is sent proves that nothing was
 * committed, so only a COMMIT without an answer is in doubt.
 */
async function transaction<T>(query: Query, work: Work<T>): Promise<T> {
  await query('BEGIN')
  let result: T
  try {
    result = await work(query)
  } catch (error) {
    if (!hasEnded(error)) await query('ROLLBACK')
    throw error
  }
  try {
    await query('COMMIT')
  } catch (error) {
    // After a plain error the transaction is rolled back. If the session ended, the commit may have succeeded.
    if (!hasEnded(error)) throw error
    throw new CommitUnknown('the answer to COMMIT was lost', { cause: error })
  }
  return result
}

async function within<T>(until: number, promise: Promise<T>): Promise<T> {
  const timer = new AbortController()
  const late = sleep(Math.max(0, until - performance.now()), undefined, { signal: timer.signal }).then(() => {
    throw new NoPrimary('no database host takes writes: the search for one takes too long')
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    late.catch(() => {})
    timer.abort()
  }
}
