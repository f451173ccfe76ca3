import type { Socket } from 'node:net'
import type { ClientChannel, Client as Ssh2Client } from 'ssh2'
import type { Clock, Limit } from '../clock.ts'
import { Unreachable } from '../errors.ts'
import { silenceLimit } from '../timeouts.ts'
import type { LoginSettings } from './settings.ts'
import { promiseNoSessions } from './ssh2.ts'
import type { Tunnel } from './tunnel.ts'

export interface SshClientParts {
  readonly settings: LoginSettings
  readonly clock: Clock
  readonly client: Ssh2Client
  readonly socket: Socket | Tunnel
  /** The connection to the last jump host, when there is one. */
  readonly through: SshClient | undefined
}

/** A login that is open: to a host, or to a jump host that several hosts are reached through. */
export class SshClient {
  readonly settings: LoginSettings
  /** Why the connection ended, in words. Never rejects; settles for a connection that we closed, too. */
  readonly lost: Promise<string>
  readonly #clock: Clock
  readonly #client: Ssh2Client
  readonly #socket: Socket | Tunnel
  #lost: string | undefined

  constructor({ settings, clock, client, socket, through }: SshClientParts) {
    this.settings = settings
    this.#clock = clock
    this.#client = client
    this.#socket = socket
    this.lost = new Promise((resolve) => {
      const end = (why: string) => {
        watch.end()
        this.#lost ??=
          through?.ended === undefined ? why : `${through.settings.name} on the way: ${through.ended}`
        resolve(this.#lost)
      }
      const watch = this.#watch(end)
      client.on('error', (error) => end(error.message))
      client.on('end', () => end('the host closed the connection'))
      client.on('close', () => end('the host closed the connection'))
    })
  }

  /** What `lost` will say, once it is known. */
  get ended(): string | undefined {
    return this.#lost
  }

  get traffic(): { readonly sent: number; readonly received: number } {
    return { sent: this.#socket.bytesWritten, received: this.#socket.bytesRead }
  }

  /** @param take is given the channel before anything can happen on it: a command may have ended by the time a promise is looked at. */
  exec<T>(command: string, take: (channel: ClientChannel) => T): Promise<T> {
    return this.#ask((done) => this.#client.exec(command, done), take)
  }

  /** A way to a port that the host can reach. */
  forward(host: string, port: number): Promise<ClientChannel> {
    return this.#ask(
      (done) => this.#client.forwardOut('127.0.0.1', 0, host, port, done),
      (channel) => channel,
    )
  }

  /** Sends some bytes that change nothing for us and are not answered; as OpenSSH does, we promise to run no commands here. */
  acknowledge(): void {
    if (this.#lost === undefined) promiseNoSessions(this.#client)
  }

  async close(): Promise<void> {
    this.#lost ??= 'we closed the connection'
    this.#client.end()
    const limit = this.#clock.limit({ ms: GOODBYE, expire: () => this.#socket.destroy() })
    await this.lost
    limit.end()
  }

  #ask<T>(
    start: (done: (error: Error | undefined, channel: ClientChannel) => void) => void,
    take: (channel: ClientChannel) => T,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#lost !== undefined) reject(this.#gone())
      else
        start((error, channel) =>
          error ? reject(this.#lost === undefined ? error : this.#gone()) : resolve(take(channel)),
        )
    })
  }

  #gone(): Unreachable {
    return new Unreachable(`The connection to ${this.settings.name} is lost: ${this.#lost}`, {
      reason: 'lost',
    })
  }

  /**
   * ssh2 takes a host for dead when it leaves three questions open, even while an answer waits behind megabytes that a
   * slow line still carries. Any byte that arrives is a sign of life, so we count those instead.
   */
  #watch(end: (why: string) => void): Limit {
    const silence = silenceLimit(this.settings.keepalive)
    return this.#clock.limit({
      ms: silence,
      progress: () => this.#socket.bytesRead,
      expire: () => {
        end(`no sign of life for ${silence / 1000} s`)
        this.#socket.destroy()
      },
    })
  }
}

/** Milliseconds for the host to take leave. */
const GOODBYE = 1_000
