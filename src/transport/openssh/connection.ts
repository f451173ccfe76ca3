import { Socket } from 'node:net'
import { Semaphore } from '../concurrency.ts'
import type { Connection, Exit, RemoteProcess } from '../transport.ts'
import type { Master } from './master.ts'

/** A Connection over a login that ssh holds open: a small `ssh` for each command. */
export class OpensshConnection implements Connection {
  readonly #master: Master
  readonly #release: () => Promise<void>
  readonly #running = new Set<RemoteProcess>()
  /** sshd allows 10 sessions a login (MaxSessions), and counts those that are about to end. */
  readonly #gate = new Semaphore(4)
  readonly #past = { sent: 0, received: 0 }

  /** @param release closes the login, and those at the jump hosts on the way that nobody else uses. */
  constructor(master: Master, release: () => Promise<void>) {
    this.#master = master
    this.#release = release
  }

  /** What went through our pipes: ssh does not tell what became of it on the line. */
  get traffic(): { readonly sent: number; readonly received: number } {
    return [...this.#running].map(passed).reduce(sum, this.#past)
  }

  get keepaliveInterval(): number {
    return this.#master.login.keepalive.interval
  }

  async start(command: string): Promise<RemoteProcess> {
    const leave = await this.#gate.enter()
    try {
      const wire = await this.#master.start(command)
      this.#running.add(wire)
      void wire.ended.then(() => {
        leave()
        this.#running.delete(wire)
        Object.assign(this.#past, sum(this.#past, passed(wire)))
      })
      return { ...wire, ended: this.#ending(wire) }
    } catch (error) {
      leave()
      throw error
    }
  }

  async close(): Promise<void> {
    await this.#release()
    for (const wire of this.#running) wire.destroy()
  }

  /** ssh ends with 255 when the connection is lost, when a signal killed the command, and when the command said so. */
  async #ending(wire: RemoteProcess): Promise<Exit> {
    const lost = this.#master.lost.then((why) => ({ lost: why }))
    const ending = await Promise.race([wire.ended, lost])
    return 'code' in ending && ending.code === 255
      ? Promise.race([lost, this.#master.clock.wait(GRACE).then(() => ending)])
      : ending
  }
}

/** Milliseconds in which we hear that the login has ended after a command of it has. */
const GRACE = 150

interface Traffic {
  readonly sent: number
  readonly received: number
}

function passed({ stdin, stdout, stderr }: RemoteProcess): Traffic {
  const read = (stream: unknown) => (stream instanceof Socket ? stream.bytesRead : 0)
  return { sent: stdin instanceof Socket ? stdin.bytesWritten : 0, received: read(stdout) + read(stderr) }
}

function sum(a: Traffic, b: Traffic): Traffic {
  return { sent: a.sent + b.sent, received: a.received + b.received }
}
