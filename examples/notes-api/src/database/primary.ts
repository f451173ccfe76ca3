import { type Endpoint, shown } from '../config.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { NoPrimary, Slow } from './failures.ts'
import type { OpenPool, Pool, Query } from './pool.ts'
import type { RecordedPrimary } from './record.ts'
import { standing, survey } from './survey.ts'

export interface PrimaryParts {
  readonly hosts: readonly Endpoint[]
  readonly open: OpenPool
  /** Done once on each primary found, before anyone else gets it. */
  readonly prepare: (query: Query) => Promise<void>
  /** Reads the newest primary that is known on this host. No record is known unless given. */
  readonly record?: () => Promise<RecordedPrimary | undefined>
  readonly log: Log
  readonly metrics: Metrics
}

/** Milliseconds for the preparation. */
const preparing = 4000
/** Milliseconds in which a primary in good health answers. */
const prompt = 1000

/** The database host that takes writes now, and the sessions with it. Which one it is may change at any moment. */
export class Primary {
  readonly #parts: PrimaryParts
  #pool: Pool | undefined
  #search: Promise<Pool> | undefined
  #doubt: Promise<void> | undefined

  constructor(parts: PrimaryParts) {
    this.#parts = parts
  }

  /** @throws NoPrimary that tells what each host said */
  async pool(): Promise<Pool> {
    if (this.#pool !== undefined) return this.#pool
    this.#search ??= this.#find().finally(() => {
      this.#search = undefined
    })
    return this.#search
  }

  /** This pool failed in a way that says its host is no primary any more: away with it, the next caller searches. */
  gone(pool: Pool, reason: string): void {
    if (this.#pool !== pool) return
    this.#pool = undefined
    pool.destroy()
    this.#parts.metrics.primary('')
    this.#parts.log.warn('primary lost', { database: shown(pool.endpoint), reason })
  }

  /**
   * This pool's host does not answer. Either it does what it was asked slowly (waits for its replica, say), and must be
   * left to it, or it is dead, and TCP would tell only after minutes. A look at all the hosts decides.
   */
  async doubt(pool: Pool): Promise<void> {
    if (this.#pool !== pool) return
    this.#doubt ??= this.#verify(pool).finally(() => {
      this.#doubt = undefined
    })
    return this.#doubt
  }

  /** @throws NoPrimary if no writable host answers right now */
  async check(): Promise<Endpoint> {
    const pool = await this.pool()
    try {
      const { writable, words } = await pool.session(standing, prompt)
      if (!writable) this.gone(pool, words)
    } catch (error) {
      if (error instanceof Slow) await this.doubt(pool)
      else this.gone(pool, error instanceof Error ? error.message : String(error))
    }
    return (await this.pool()).endpoint
  }

  close(): void {
    this.#pool?.destroy()
    this.#pool = undefined
  }

  async #find(): Promise<Pool> {
    const { log, metrics, prepare } = this.#parts
    const { best, words } = await this.#survey()
    if (best === undefined) {
      metrics.count('notes_database_searches_total', { outcome: 'none' })
      throw new NoPrimary(`no database host takes writes: ${words}`)
    }
    try {
      await best.session(prepare, preparing)
    } catch (error) {
      best.destroy()
      metrics.count('notes_database_searches_total', { outcome: 'unfit' })
      const reason = error instanceof Error ? error.message : String(error)
      throw new NoPrimary(`${shown(best.endpoint)} is the primary, but the schema is not in order: ${reason}`)
    }
    metrics.count('notes_database_searches_total', { outcome: 'found' })
    metrics.primary(shown(best.endpoint))
    log.info('primary found', { database: shown(best.endpoint), hosts: words })
    this.#pool = best
    return best
  }

  async #verify(pool: Pool): Promise<void> {
    const { best, words } = await this.#survey()
    best?.destroy()
    if (best === undefined || shown(best.endpoint) !== shown(pool.endpoint)) this.gone(pool, words)
  }

  async #survey() {
    const { hosts, open } = this.#parts
    const record = await this.#record()
    return survey(
      hosts,
      (endpoint) => {
        const pool: Pool = open(endpoint, (reason) => this.gone(pool, reason.message))
        return pool
      },
      record,
    )
  }

  async #record(): Promise<RecordedPrimary | undefined> {
    const { record, log } = this.#parts
    try {
      return await record?.()
    } catch (error) {
      log.warn('record of the primary unreadable', { reason: String(error) })
      return undefined
    }
  }
}
