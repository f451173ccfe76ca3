import type { Server } from 'node:http'
import { Server as NetServer } from 'node:net'

export interface DrainTimes {
  /** Milliseconds after which connections that carry no request are closed. Longer than the proxy keeps idle ones. */
  readonly idle: number
  /** Milliseconds after which the rest is cut. */
  readonly giveUp: number
}

/**
 * Stops listening at once, so that a proxy gets "refused", which is safe to try elsewhere even for a POST; then waits
 * until the last connection is closed.
 *
 * @returns false if connections had to be cut
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
    // From Node 19 on the HTTP server's own close() also closes idle connections at once, where the proxy may be about
    // to send a POST. This one stops the listening alone, on every version.
    NetServer.prototype.close.call(server, () => resolve())
  })
  for (const timer of timers) clearTimeout(timer)
  return !cut
}
