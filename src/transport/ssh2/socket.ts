import { connect, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { Clock } from '../clock.ts'
import { Stopped } from '../errors.ts'
import type { LoginSettings } from './settings.ts'

type Address = Pick<LoginSettings, 'host' | 'port' | 'connectTimeout'>

/** The limit for an answer was reached. */
export class TimedOut extends Error {}

/**
 * Opens a TCP connection, without Nagle's algorithm: with it, each small message waits 40 ms for the acknowledgement of the one before.
 *
 * @throws the operating system's error, {@link TimedOut} or Stopped
 */
export function openSocket(
  { host, port, connectTimeout }: Address,
  { clock, stop }: { readonly clock: Clock; readonly stop: AbortSignal | undefined },
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true })
    const fail = (error: Error) => {
      limit.end()
      socket.destroy()
      reject(error)
    }
    const limit = clock.limit({ ms: connectTimeout, expire: () => fail(new TimedOut()) })
    const abort = () => fail(new Stopped())
    stop?.addEventListener('abort', abort)
    socket.once('close', () => stop?.removeEventListener('abort', abort))
    socket.once('connect', () => {
      limit.end()
      stop?.removeEventListener('abort', abort)
      socket.removeAllListeners('error')
      resolve(socket)
    })
    socket.once('error', fail)
  })
}

/** A jump host. */
interface Forwarder {
  forward(host: string, port: number): Promise<Duplex>
  sendAnything(): void
}

/** Opens a connection through a jump host. @throws {@link TimedOut} */
export async function openTunnel(
  through: Forwarder,
  { host, port, connectTimeout }: Address,
  clock: Clock,
): Promise<Tunnel> {
  const opening = through.forward(host, port)
  const over = new AbortController()
  const late = clock.wait(connectTimeout, over.signal).then(() => {
    throw new TimedOut()
  })
  late.catch(() => {})
  try {
    return new Tunnel(await Promise.race([opening, late]), () => through.sendAnything())
  } catch (error) {
    opening.then(
      (channel) => channel.destroy(),
      () => {},
    )
    throw error
  } finally {
    over.abort()
  }
}

/** A channel through a jump host with the interface of a socket: it counts its bytes and can be destroyed. */
export class Tunnel extends Duplex {
  bytesRead = 0
  bytesWritten = 0
  readonly #channel: Duplex

  /** @param acknowledge sends the jump host any message */
  constructor(channel: Duplex, acknowledge: () => void) {
    super()
    this.#channel = channel
    channel.on('data', (chunk: Buffer) => {
      this.bytesRead += chunk.length
      // The jump host's sshd uses Nagle's algorithm on a connection without commands: it holds a small packet back until the one before
      // is acknowledged, which our kernel delays by 40 ms unless there is something to send.
      if (chunk.length < SMALL) acknowledge()
      if (!this.push(chunk)) channel.pause()
    })
    channel.once('end', () => this.push(null))
    channel.once('close', () => this.destroy())
    channel.on('error', (error) => this.destroy(error))
  }

  override _read(): void {
    this.#channel.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.bytesWritten += chunk.length
    this.#channel.write(chunk, done)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#channel.end()
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // Not only `end`: after a half-close the host's side may stay open forever.
    this.#channel.destroy()
    done(error)
  }
}

/** Fewer bytes than an Ethernet packet carries. */
const SMALL = 1_400
