import { Duplex } from 'node:stream'

/** A channel through a jump host as a socket: it counts its bytes, and can be destroyed like one. */
export class Tunnel extends Duplex {
  bytesRead = 0
  bytesWritten = 0
  readonly #channel: Duplex

  constructor(channel: Duplex) {
    super()
    this.#channel = channel
    channel.on('data', (chunk: Buffer) => {
      this.bytesRead += chunk.length
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
