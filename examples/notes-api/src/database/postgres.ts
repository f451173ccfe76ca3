import { Socket } from 'node:net'
import pg from 'pg'
import type { DatabaseConfig } from '../config.ts'
import { requestId } from '../request-id.ts'
import { hasEnded, Lost, Refused, Slow } from './failures.ts'
import { maxTransactions } from './gate.ts'
import type { OpenPool, Query } from './pool.ts'

/** Sessions at a time with one host: those of {@link Gate}, and one to ask whether the host is writable. */
const maxSessions = maxTransactions + 1
/** Milliseconds for a TCP connection. The kernel of a slow host answers at once; only a host that is down does not. */
const tcpLimit = 1000
/** Milliseconds for connection and login. The login takes processor time on both sides, so it is slow on a slow host. */
const loginLimit = 4000

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
      stream: limitedSocket,
      connectionTimeoutMillis: loginLimit,
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
        const slow = (cause?: unknown) => new Slow(`no answer within ${limit} ms`, { cause })
        let late = false
        let client: pg.PoolClient | undefined
        let giveUp = () => {}
        const cut = setTimeout(() => {
          late = true
          giveUp()
          if (client !== undefined) void client.end()
        }, limit)
        try {
          client = await new Promise<pg.PoolClient>((resolve, reject) => {
            giveUp = () => reject(slow())
            pool.connect().then(
              // A login that ends late serves the next session.
              (connected) => (late ? connected.release() : resolve(connected)),
              (error: unknown) => reject(translated(error)),
            )
          })
          const query = queryOf(client)
          const result = await work((text, values) =>
            query(text, values).catch((error: unknown) => {
              throw late ? slow(error) : error
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

/** The limit of the driver holds for connection and login together. */
function limitedSocket(): Socket {
  const socket = new Socket()
  const timer = setTimeout(
    () => socket.destroy(new Error(`no TCP connection within ${tcpLimit} ms`)),
    tcpLimit,
  )
  for (const event of ['connect', 'close']) socket.once(event, () => clearTimeout(timer))
  return socket
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
