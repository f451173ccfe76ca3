import type { Server } from 'node:http'
import { Server as NetServer } from 'node:net'

export interface DrainTimes {
  /** Milliseconds after which idle connections are closed. Longer than the keep-alive time of the proxy. */
  readonly idle: number
  /** Milliseconds after which all other connections are closed. */
  readonly giveUp: number
}

/**
 * Stops listening at once, so that a proxy gets "connection refused" and can safely retry on another host, even for a
 * POST; then waits until the last connection is closed.
 *
 * @returns false if connections were closed by force
 */
export async function drain(server: Server, { idle, giveUp }: DrainTimes): Promise<boolean> {
  let cut = false
  const timers = [
    setInterval(() => server.closeIdleConnections(), idle),
    setTimeout(() => {
      cut = true
      server.closeAllConnections()
    }, giveUp),
  ]
  await new Promise<void>((resolve) => {
    // Since Node 19 close() of the HTTP server also closes idle connections at once, while the proxy may be about
    // to send a POST. This call only stops listening, on every version.
    NetServer.prototype.close.call(server, () => resolve())
  })
  for (const timer of timers) clearTimeout(timer)
  return !cut
}
