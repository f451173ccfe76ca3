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
  /** Runs once on each primary that is found, before any other query. */
  readonly prepare: (query: Query) => Promise<void>
  /** Reads the newest primary that this host has on record. @default no record */
  readonly record?: () => Promise<RecordedPrimary | undefined>
  readonly log: Log
  readonly metrics: Metrics
}

/** Milliseconds for the preparation. */
const preparing = 4000
/** Milliseconds in which a healthy primary answers. */
const prompt = 1000

/** The current primary and its sessions. The primary may change at any moment. */
export class Primary {
  readonly #parts: PrimaryParts
  #pool: Pool | undefined
  #search: Promise<Pool> | undefined
  #doubt: Promise<void> | undefined

  constructor(parts: PrimaryParts) {
    this.#parts = parts
  }

  /** @throws NoPrimary with the answer of each host */
  async pool(): Promise<Pool> {
    if (this.#pool !== undefined) return this.#pool
    this.#search ??= this.#find().finally(() => {
      this.#search = undefined
    })
    return this.#search
  }

  /** Drops this pool because its host is no longer the primary; the next caller searches again. */
  gone(pool: Pool, reason: string): void {
    if (this.#pool !== pool) return
    this.#pool = undefined
    pool.destroy()
    this.#parts.metrics.primary('')
    this.#parts.log.warn('primary lost', { database: shown(pool.endpoint), reason })
  }

  /**
   * Handles a host that does not answer. If it is only slow (it waits for its replica, for example), it must be left
   * alone; if it is dead, TCP reports that only after minutes. A query to all hosts decides.
   */
  async doubt(pool: Pool): Promise<void> {
    if (this.#pool !== pool) return
    this.#doubt ??= this.#verify(pool).finally(() => {
      this.#doubt = undefined
    })
    return this.#doubt
  }

  /** @throws NoPrimary if no writable host answers now */
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
    const { best, words, unanswered } = await this.#survey()
    best?.destroy()
    const own = shown(pool.endpoint)
    // A host without an answer may be slow, and to close its sessions would leave their commits in doubt.
    const keeps = best === undefined ? unanswered.some((host) => shown(host) === own) : shown(best.endpoint) === own
    if (!keeps) this.gone(pool, words)
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
