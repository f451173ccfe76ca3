import pg from 'pg'
import type { DatabaseConfig } from '../config.ts'
import { requestId } from '../request-id.ts'
import { hasEnded, Lost, Refused, Slow } from './failures.ts'
import { maxTransactions } from './gate.ts'
import type { OpenPool, Query } from './pool.ts'

/** Sessions at a time with one host: those of {@link Gate}, and one to ask whether the host is writable. */
const maxSessions = maxTransactions + 1

/** The only user of the driver. Nothing else knows how it words its errors. */
export function postgres({ name, user, password, ca }: DatabaseConfig, applicationName: string): OpenPool {
  return (endpoint, onLost) => {
    const clients = new Set<pg.PoolClient>()
    const pool = new pg.Pool({
      host: endpoint.host,
      port: endpoint.port,
      database: name,
      user,
      password,
      // With a CA of our own the driver checks chain and name, of an IP address too: that is libpq's verify-full.
      ssl: ca === undefined ? false : { ca, rejectUnauthorized: true, minVersion: 'TLSv1.2' },
      application_name: applicationName,
      max: maxSessions,
      connectionTimeoutMillis: 1000,
      idleTimeoutMillis: 30_000,
      idle_in_transaction_session_timeout: 10_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 3000,
    })
    pool.on('connect', (client) => {
      clients.add(client)
      // A client in use that breaks between two queries has no other listener, and would end the process.
      client.on('error', () => {})
      client.once('end', () => clients.delete(client))
    })
    pool.on('error', (error) => onLost(translated(error)))

    return {
      endpoint,
      async session(work, limit) {
        let late = false
        let client: pg.PoolClient | undefined
        const cut = setTimeout(() => {
          late = true
          if (client !== undefined) void client.end()
        }, limit)
        try {
          client = await pool.connect().catch((error: unknown) => {
            throw translated(error)
          })
          const query = queryOf(client)
          const result = await work((text, values) =>
            query(text, values).catch((error: unknown) => {
              throw late ? new Slow(`no answer within ${limit} ms`, { cause: error }) : error
            }),
          )
          client.release()
          return result
        } catch (error) {
          client?.release(late || hasEnded(error))
          throw error
        } finally {
          clearTimeout(cut)
        }
      },
      destroy() {
        // Ending a client that waits for an answer cuts its socket; the pool alone would wait for it.
        for (const client of clients) void client.end()
        pool.end().catch(() => {})
      },
    }
  }
}

function queryOf(client: pg.PoolClient): Query {
  return async (text, values = []) => {
    try {
      const result = await client.query<Record<string, unknown>>(marked(text), [...values])
      return result.rows
    } catch (error) {
      throw translated(error)
    }
  }
}

/** The server's log then tells for which request a statement was slow, or failed. */
function marked(text: string): string {
  const id = requestId()
  return id === undefined ? text : `/* request ${id} */ ${text}`
}

function translated(error: unknown): Error {
  if (error instanceof pg.DatabaseError)
    return new Refused(error.message, {
      code: error.code ?? '',
      fatal: error.severity === 'FATAL' || error.severity === 'PANIC',
    })
  return new Lost(error instanceof Error ? error.message : String(error), { cause: error })
}
