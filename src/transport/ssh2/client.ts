import type { Socket } from 'node:net'
import { Readable, Writable } from 'node:stream'
import type { ClientChannel, Client as Ssh2Client } from 'ssh2'
import { type Clock, type Limit, silenceLimit } from '../clock.ts'
import { Unreachable } from '../errors.ts'
import type { Login } from '../ssh/jump-hosts.ts'
import type { Exit, RemoteProcess, Traffic } from '../transport.ts'
import type { LoginSettings } from './settings.ts'
import type { Tunnel } from './socket.ts'
import { sendNoMoreSessions } from './ssh2.ts'

interface SshClientParts {
  readonly settings: LoginSettings
  readonly clock: Clock
  readonly client: Ssh2Client
  readonly socket: Socket | Tunnel
  /** The login at the last jump host, if any. */
  readonly through: SshClient | undefined
}

/** A client that has logged in to a host or jump host. */
export class SshClient implements Login {
  readonly settings: LoginSettings
  readonly lost: Promise<string>
  readonly #clock: Clock
  readonly #client: Ssh2Client
  readonly #socket: Socket | Tunnel
  #lostReason: string | undefined

  constructor({ settings, clock, client, socket, through }: SshClientParts) {
    this.settings = settings
    this.#clock = clock
    this.#client = client
    this.#socket = socket
    this.lost = new Promise((resolve) => {
      const end = (reason: string) => {
        silence.end()
        const before = through?.lostReason
        this.#lostReason ??= before === undefined ? reason : `${through?.settings.name} on the way: ${before}`
        resolve(this.#lostReason)
      }
      const silence = this.#limitSilence(end)
      client.on('error', (error) => end(error.message))
      client.on('end', () => end('the host closed the connection'))
      client.on('close', () => end('the host closed the connection'))
    })
  }

  /** The value of `lost` once it is known. */
  get lostReason(): string | undefined {
    return this.#lostReason
  }

  get traffic(): Traffic {
    return { sent: this.#socket.bytesWritten, received: this.#socket.bytesRead }
  }

  /** @param onOpen is given the channel before any of its events */
  exec(command: string, onOpen: (channel: ClientChannel) => void): Promise<RemoteProcess> {
    return this.#open(
      (done) => this.#client.exec(command, done),
      (channel) => {
        onOpen(channel)
        return channelProcess(channel, this.lost)
      },
    )
  }

  /** Opens a TCP connection from the host to a port that it can reach. */
  forward(host: string, port: number): Promise<ClientChannel> {
    return this.#open(
      (done) => this.#client.forwardOut('127.0.0.1', 0, host, port, done),
      (channel) => channel,
    )
  }

  /** Sends a small message that is not answered. As OpenSSH does on a jump host, it announces that no commands will be started. */
  sendAnything(): void {
    if (this.#lostReason === undefined) sendNoMoreSessions(this.#client)
  }

  async close(): Promise<void> {
    this.#lostReason ??= 'we closed the connection'
    this.#client.end()
    const limit = this.#clock.limit({ ms: CLOSE_TIMEOUT, expire: () => this.#socket.destroy() })
    await this.lost
    limit.end()
  }

  #open<T>(
    start: (done: (error: Error | undefined, channel: ClientChannel) => void) => void,
    onOpen: (channel: ClientChannel) => T,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#lostReason !== undefined) reject(this.#lostError())
      else
        start((error, channel) =>
          error ? reject(this.#lostReason === undefined ? error : this.#lostError()) : resolve(onOpen(channel)),
        )
    })
  }

  #lostError(): Unreachable {
    return new Unreachable(`The connection to ${this.settings.name} is lost: ${this.#lostReason}`, { reason: 'lost' })
  }

  /**
   * ssh2 considers a host dead after three unanswered keepalive messages, even while an answer waits behind megabytes on a slow line. Any
   * received byte proves that the host is alive, so bytes are counted instead.
   */
  #limitSilence(end: (reason: string) => void): Limit {
    const silence = silenceLimit(this.settings.keepalive)
    return this.#clock.limit({
      ms: silence,
      progress: () => this.#socket.bytesRead,
      expire: () => {
        end(`no data for ${silence / 1000} s`)
        this.#socket.destroy()
      },
    })
  }
}

/** Milliseconds for the host to close the connection. */
const CLOSE_TIMEOUT = 1_000

/**
 * The process of a channel. ssh2's channel is one stream for both directions, and its 'close' event waits until all output is read. Here
 * the directions are separate streams, and the channel is always read.
 */
function channelProcess(channel: ClientChannel, lost: Promise<string>): RemoteProcess {
  const stdout = outputOf(channel)
  const stderr = outputOf(channel.stderr)
  const stdin = inputOf(channel)
  let settle: (exit: Exit) => void = () => {}
  const exit = new Promise<Exit>((resolve) => {
    settle = resolve
  })
  channel.on('exit', (code: number | null, signal?: string) => {
    settle(code === null ? { ...(signal ? { signal } : {}) } : { code })
  })
  channel.on('close', () => {
    stdin.destroy()
    // A lost connection closes its channels first and is reported a moment later.
    setImmediate(() => settle({}))
  })
  void lost.then((reason) => {
    settle({ lost: reason })
    stdin.destroy()
  })
  return {
    ...{ stdin, stdout, stderr, exit },
    destroy() {
      channel.close()
      settle({})
      for (const stream of [stdin, stdout, stderr]) stream.destroy()
    },
  }
}

function outputOf(source: Readable): Readable {
  const stream = new Readable({
    read: () => void source.resume(),
    destroy(error, done) {
      // Further data is discarded, otherwise the channel would never close.
      source.removeAllListeners('data').resume()
      done(error)
    },
  })
  source.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) source.pause()
  })
  source.once('end', () => stream.push(null))
  source.on('error', () => {})
  return stream
}

function inputOf(channel: ClientChannel): Writable {
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => void channel.write(chunk, done),
    final(done) {
      channel.end()
      done()
    },
  })
  // The command may end before it has read all input; `exit` reports that.
  stream.on('error', () => {})
  return stream
}
