import { Duplex } from 'node:stream'

/** A channel through a jump host as a socket: it counts its bytes, and can be destroyed like one. */
export class Tunnel extends Duplex {
  bytesRead = 0
  bytesWritten = 0
  readonly #channel: Duplex

  /** @param acknowledge sends the jump host anything at all. */
  constructor(channel: Duplex, acknowledge: () => void) {
    super()
    this.#channel = channel
    channel.on('data', (chunk: Buffer) => {
      this.bytesRead += chunk.length
      // The jump host's sshd has Nagle's algorithm on where nobody runs a command: it keeps a small packet back until the
      // one before is acknowledged, for which our kernel takes 40 ms unless we have something to send.
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
    // Not `end` alone: that is a half-close, after which the host's side may stay open for ever.
    this.#channel.destroy()
    done(error)
  }
}

/** Less than a packet of Ethernet carries. */
const SMALL = 1_400
