import { connect, type Socket } from 'node:net'
import type { Clock } from './clock.ts'

/**
 * Opens a TCP connection, without Nagle's algorithm: with it, each small message waits 40 ms for the answer to the one before.
 *
 * @throws the operating system's error, or {@link TimedOut}
 */
export function dial({
  host,
  port,
  timeout,
  clock,
}: {
  host: string
  port: number
  /** Milliseconds. */
  timeout: number
  clock: Clock
}): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true })
    const limit = clock.limit({
      ms: timeout,
      expire() {
        socket.destroy()
        reject(new TimedOut())
      },
    })
    socket.once('connect', () => {
      limit.end()
      socket.removeAllListeners('error')
      resolve(socket)
    })
    socket.once('error', (error) => {
      limit.end()
      reject(error)
    })
  })
}

/** We stopped waiting. */
export class TimedOut extends Error {}
