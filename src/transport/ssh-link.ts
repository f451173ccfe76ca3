import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientChannel } from 'ssh2'
import type { Connection } from './connection.ts'
import { Gate } from './gate.ts'
import { sshWire } from './ssh-wire.ts'
import { Unreachable } from './unreachable.ts'
import type { Link, Wire } from './wire.ts'

/** A Link over a login. */
export class SshLink implements Link {
  readonly #connection: Connection
  readonly #release: () => Promise<void>
  /** sshd allows 10 sessions a login (MaxSessions), and counts those that are about to end. */
  readonly #gate = new Gate(4)

  /** @param release closes the login, and those at the jump hosts on the way that nobody else uses. */
  constructor(connection: Connection, release: () => Promise<void>) {
    this.#connection = connection
    this.#release = release
  }

  get traffic(): { readonly sent: number; readonly received: number } {
    return this.#connection.traffic
  }

  get beat(): number {
    return this.#connection.hop.keepalive.interval
  }

  async start(command: string): Promise<Wire> {
    const leave = await this.#gate.enter()
    try {
      const wire = await this.#open(command, (channel) => {
        // On 'exit', for 'close' waits for daemons that the command left behind with its output still open.
        for (const event of ['exit', 'close']) channel.once(event, leave)
        return sshWire(channel, this.#connection.lost)
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

  async #open(command: string, take: (channel: ClientChannel) => Wire): Promise<Wire> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#connection.exec(command, take)
      } catch (error) {
        if (error instanceof Unreachable) throw error
        const words = error instanceof Error ? error.message : String(error)
        if (!/channel open failure/i.test(words) || attempt === ATTEMPTS)
          throw new Unreachable(
            `${this.#connection.hop.name} starts no command: ${words.replace('(SSH) ', '')}`,
            {
              obstacle: 'protocol',
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
