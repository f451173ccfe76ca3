import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import https from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Lab } from '../../src/lab/index.ts'

/** What clients have seen. */
export interface Seen {
  readonly asked: number
  /** One line for each request without a good answer: when, what, and what came instead. */
  readonly failed: readonly string[]
  /** The longest time between two good answers, in milliseconds. */
  readonly gap: number
}

/** Seconds that a client waits for an answer: others share the machine, and a slow answer is one. */
const PATIENCE = 20

/**
 * Clients of the site, from now until `end`: on connections that they keep and on new ones, GET and POST. Few enough to leave the
 * machine to the system that is looked at.
 */
export class Clients {
  readonly #lab: Lab
  readonly #ca: readonly (Buffer | string)[]
  readonly #lanes: readonly Promise<void>[]
  readonly #failed: string[] = []
  #asked = 0
  #gap = 0
  #last = Date.now()
  #over = false

  /** @param trusted whom they trust beside the lab's own authority, as PEM */
  constructor(lab: Lab, trusted: readonly string[] = []) {
    this.#lab = lab
    this.#ca = [readFileSync(join(lab.directory, 'pki/authority.pem')), ...trusted]
    this.#lanes = [
      this.#lane('kept GET', 40),
      this.#lane('kept GET', 40),
      this.#lane('kept POST', 60),
      this.#lane('kept POST', 60),
      this.#lane('new GET', 150),
      this.#lane('new POST', 250),
    ]
  }

  async end(): Promise<Seen> {
    this.#over = true
    await Promise.all(this.#lanes)
    return { asked: this.#asked, failed: this.#failed, gap: this.#gap }
  }

  async #lane(what: `${'kept' | 'new'} ${'GET' | 'POST'}`, pause: number): Promise<void> {
    const agent = what.startsWith('kept') && new https.Agent({ keepAlive: true, maxSockets: 1 })
    while (!this.#over) {
      const began = new Date()
      const outcome = await this.#exchange(what.endsWith('POST'), agent)
      this.#asked++
      if (outcome === 'ok') {
        this.#gap = Math.max(this.#gap, Date.now() - this.#last)
        this.#last = Date.now()
      } else this.#failed.push(`${began.toISOString()} ${what}: ${outcome}`)
      await sleep(pause)
    }
    if (agent) agent.destroy()
  }

  #exchange(post: boolean, agent: https.Agent | false): Promise<string> {
    return new Promise((done) => {
      const request = https.request(
        {
          ...{
            host: '127.0.0.1',
            port: this.#lab.ports.https,
            servername: 'notes.test',
            ca: [...this.#ca],
            agent,
          },
          method: post ? 'POST' : 'GET',
          path: post ? '/api/notes' : this.#asked % 2 ? '/' : '/api/whoami',
          headers: {
            host: 'notes.test',
            ...(post && { 'content-type': 'application/json', 'idempotency-key': randomUUID() }),
          },
          timeout: PATIENCE * 1000,
        },
        (response) => {
          response.resume()
          response.on('error', (error) => done(error.message))
          response.on('end', () => {
            const { statusCode = 0 } = response
            done(statusCode === (post ? 201 : 200) ? 'ok' : `status ${statusCode}`)
          })
        },
      )
      request.on('timeout', () => request.destroy(new Error(`no answer within ${PATIENCE} s`)))
      request.on('error', (error) => done(error.message))
      request.end(post ? JSON.stringify({ text: 'load' }) : undefined)
    })
  }
}
