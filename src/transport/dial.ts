import { connect, type Socket } from 'node:net'

/**
 * Opens a TCP connection, without Nagle's algorithm: with it, each small message waits 40 ms for the answer to the one before.
 *
 * @throws the operating system's error, or {@link TimedOut}
 */
export function dial({
  host,
  port,
  patience,
}: {
  host: string
  port: number
  patience: number
}): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true })
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new TimedOut())
    }, patience)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.removeAllListeners('error')
      resolve(socket)
    })
    socket.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
  })
}

/** We stopped waiting. */
export class TimedOut extends Error {}
