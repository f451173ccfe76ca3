import { Socket } from 'node:net'
import pg from 'pg'
import type { DatabaseConfig } from '../config.ts'
import { requestId } from '../request-id.ts'
import { hasEnded, Lost, Refused, Slow } from './failures.ts'
import { maxTransactions } from './gate.ts'
import type { OpenPool, Query } from './pool.ts'

/** The maximum of concurrent sessions per host: those of {@link Gate}, and one that checks if the host is writable. */
const maxSessions = maxTransactions + 1
/** Milliseconds for a TCP connection. The kernel of a slow host still answers at once; only a host that is down does not. */
const tcpLimit = 1000
/** Milliseconds for connection and login. The login needs processor time on both sides, so it is slow on a slow host. */
const loginLimit = 4000

/** The only module that uses the driver. No other module depends on the texts of its errors. */
export function postgres({ name, user, password, ca }: DatabaseConfig, applicationName: string): OpenPool {
  return (endpoint, onLost) => {
    const clients = new Set<pg.PoolClient>()
    const pool = new pg.Pool({
      host: endpoint.host,
      port: endpoint.port,
      database: name,
      user,
      password,
      // With a private CA the driver checks the chain and the name, also for an IP address: the same as verify-full in libpq.
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
              // A login that completes late is used by the next session.
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
        // Ending a client that waits for an answer closes its socket; the pool alone would wait for the answer.
        for (const client of clients) void client.end()
        pool.end().catch(() => {})
      },
    }
  }
}

/** The timeout of the driver covers connection and login together. */
function limitedSocket(): Socket {
  const socket = new Socket()
  const giveUp = () => {
    if (socket.connecting) socket.destroy(new Error(`no TCP connection within ${tcpLimit} ms`))
  }
  // A process that was slow itself first handles the connections that are ready.
  const timer = setTimeout(() => setImmediate(giveUp), tcpLimit)
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

/** Adds the request id, so that the server's log shows which request a slow or failed statement belongs to. */
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
  const words = error instanceof Error ? error.message : String(error)
  return timedOut.has(words) ? new Slow(words, { cause: error }) : new Lost(words, { cause: error })
}

/** The login took longer than `loginLimit`, or no session was free for as long. The host may be slow, and its sessions in use are kept. */
const timedOut = new Set(['timeout exceeded when trying to connect', 'Connection terminated due to connection timeout'])
