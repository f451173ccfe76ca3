import { connect, type Socket } from 'node:net'
import type { Clock } from '../clock.ts'
import { Stopped } from '../errors.ts'

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
  stop,
}: {
  host: string
  port: number
  /** Milliseconds. */
  timeout: number
  clock: Clock
  stop: AbortSignal | undefined
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
    const abort = () => {
      limit.end()
      socket.destroy()
      reject(new Stopped())
    }
    stop?.addEventListener('abort', abort)
    socket.once('close', () => stop?.removeEventListener('abort', abort))
    socket.once('connect', () => {
      limit.end()
      stop?.removeEventListener('abort', abort)
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
