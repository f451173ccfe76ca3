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
  /** Milliseconds for which a request waits for a primary. 3000 if not given. */
  readonly hold?: number
}

/** Milliseconds for one try. With the hold before it this stays below nginx's proxy_read_timeout of 10 s. */
const tryLimit = 6000
/** Milliseconds without an answer after which the primary is looked at. */
const doubtAfter = 1000

/** Runs transactions on whichever host is primary, and lets a change of primary pass for a delay. */
export class Database {
  readonly #parts: DatabaseParts
  readonly #gate = new Gate()

  constructor(parts: DatabaseParts) {
    this.#parts = parts
  }

  /** @throws NoPrimary | Lost | Slow | Busy | Refused */
  async read<T>(work: Work<T>): Promise<T> {
    return this.#keepTrying((pool) => pool.session(work, tryLimit))
  }

  /**
   * @param work in one transaction. It may run again after its commit went through unnoticed, so doing it twice must do
   * no more than doing it once
   * @throws CommitUnknown if the last commit's outcome was lost and there was no time left to find out; as `read` else
   */
  async write<T>(work: Work<T>): Promise<T> {
    return this.#keepTrying((pool) => pool.session((query) => transaction(query, work), tryLimit))
  }

  async #keepTrying<T>(once: (pool: Pool) => Promise<T>): Promise<T> {
    const { primary, log, metrics, hold = 3000 } = this.#parts
    const until = performance.now() + hold
    let unknown: CommitUnknown | undefined
    for (let tries = 1; ; tries++) {
      let pool: Pool | undefined
      try {
        pool = await within(until, primary.pool())
        return await this.#watched(pool, once, until)
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
 * Three round trips instead of one implicit transaction: whatever breaks before COMMIT is sent surely did not happen,
 * and only a COMMIT without an answer is in doubt.
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
    // A plain error rolled the transaction back. An end of the session may have come after the commit.
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
