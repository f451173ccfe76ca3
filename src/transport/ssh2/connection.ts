import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientChannel } from 'ssh2'
import { Semaphore } from '../concurrency.ts'
import { Unreachable } from '../errors.ts'
import type { Connection, RemoteProcess } from '../transport.ts'
import { channelProcess } from './channel.ts'
import type { SshClient } from './client.ts'

/** A Connection over a login. */
export class Ssh2Connection implements Connection {
  readonly #connection: SshClient
  readonly #release: () => Promise<void>
  /** sshd allows 10 sessions a login (MaxSessions), and counts those that are about to end. */
  readonly #gate = new Semaphore(4)

  /** @param release closes the login, and those at the jump hosts on the way that nobody else uses. */
  constructor(connection: SshClient, release: () => Promise<void>) {
    this.#connection = connection
    this.#release = release
  }

  get traffic(): { readonly sent: number; readonly received: number } {
    return this.#connection.traffic
  }

  get keepaliveInterval(): number {
    return this.#connection.settings.keepalive.interval
  }

  async start(command: string): Promise<RemoteProcess> {
    const leave = await this.#gate.enter()
    try {
      const wire = await this.#open(command, (channel) => {
        // On 'exit', for 'close' waits for daemons that the command left behind with its output still open.
        for (const event of ['exit', 'close']) channel.once(event, leave)
        return channelProcess(channel, this.#connection.lost)
      })
      void this.#connection.lost.then(leave)
      return wire
    } catch (error) {
      leave()
      throw error
    }
  }

  async close(): Promise<void> {
    await this.#release()
  }

  async #open(command: string, take: (channel: ClientChannel) => RemoteProcess): Promise<RemoteProcess> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#connection.exec(command, take)
      } catch (error) {
        if (error instanceof Unreachable) throw error
        const words = error instanceof Error ? error.message : String(error)
        if (!/channel open failure/i.test(words) || attempt === ATTEMPTS)
          throw new Unreachable(
            `${this.#connection.settings.name} starts no command: ${words.replace('(SSH) ', '')}`,
            {
              reason: 'protocol',
              next: 'See MaxSessions and ForceCommand in its sshd_config, and what its log says.',
              cause: error,
            },
          )
        await sleep(50 * 2 ** attempt)
      }
    }
  }
}

const ATTEMPTS = 6
