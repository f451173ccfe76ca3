import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Site } from './site.ts'

export interface Failure {
  readonly lane: string
  readonly begun: number
  readonly ended: number
  readonly outcome: string
}

/** What the client has seen. Times are milliseconds since 1970. */
export interface Seen {
  readonly asked: number
  readonly failed: readonly Failure[]
  /** Writes that may have been done, or not. */
  readonly unknown: readonly Failure[]
  /** The longest time between two good answers, in milliseconds. */
  readonly gap: number
  /** The same between two writes. */
  readonly writeGap: number
  /** When writes were acknowledged, in order. */
  readonly written: readonly number[]
  /** Acknowledged writes that are not in the database. */
  readonly lost: number
  readonly acknowledged: number
}

interface Told {
  /** From when until when it has begun requests. */
  readonly began: number
  readonly over: number
  readonly asked: Readonly<Record<string, number>>
  readonly answered: readonly { readonly at: number; readonly lane: string }[]
  readonly failures: readonly Failure[]
}

/** How long a client runs that nobody stops. */
const SECONDS = 240

/** A client of the site, in a process of its own. */
export class Load {
  readonly #site: Site
  readonly #child: ChildProcess
  readonly #run: string
  readonly #acknowledged: string
  readonly #told: Promise<Told>
  #asked = 0

  private constructor(site: Site) {
    this.#site = site
    this.#run = `${Date.now().toString(36)}${process.pid.toString(36)}`
    this.#acknowledged = `${site.directory}/acknowledged-${this.#run}`
    const order = {
      port: site.lab.ports.https,
      name: 'notes.test',
      authority: `${site.lab.directory}/pki/authority.pem`,
      seconds: SECONDS,
      patience: 5_000,
      run: this.#run,
      acknowledged: this.#acknowledged,
    }
    const program = new URL('client.js', import.meta.url).pathname
    this.#child = spawn(process.execPath, [program, JSON.stringify(order)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#told = this.#listen()
    // Of one that is abandoned nobody wants to know.
    this.#told.catch(() => {})
  }

  /** Begins, and waits until the client is at work. */
  static async on(site: Site): Promise<Load> {
    const load = new Load(site)
    await load.reaches(150)
    return load
  }

  /** Waits until so many requests were begun. */
  async reaches(count: number): Promise<void> {
    while (this.#asked < count && this.#child.exitCode === null)
      await new Promise((done) => setTimeout(done, 50))
  }

  async end(): Promise<Seen> {
    this.#child.stdin?.end('stop\n')
    const { began, over, asked, answered, failures } = await this.#told
    const times = (of: typeof answered) => of.map(({ at }) => at).sort((a, b) => a - b)
    const written = times(answered.filter(({ lane }) => lane.endsWith('POST')))
    const keys = readFileSync(this.#acknowledged, 'utf8').split('\n').filter(Boolean)
    const stored = await this.#site.stored(this.#run)
    rmSync(this.#acknowledged)
    return {
      asked: Object.values(asked).reduce((sum, one) => sum + one, 0),
      failed: failures.filter(({ outcome }) => outcome.startsWith('failed')),
      unknown: failures.filter(({ outcome }) => outcome.startsWith('unknown')),
      gap: longestGap([began, ...times(answered), over]),
      writeGap: longestGap([began, ...written, over]),
      written,
      acknowledged: keys.length,
      lost: keys.filter((key) => !stored.has(key)).length,
    }
  }

  /** For a row that broke. */
  abandon(): void {
    this.#child.kill()
  }

  async #listen(): Promise<Told> {
    const output = this.#child.stdout
    if (!output) throw new Error('the client has no output')
    for await (const line of createInterface({ input: output })) {
      const told = JSON.parse(line) as Told | { readonly asked: number }
      if ('answered' in told) return told
      this.#asked = told.asked
    }
    throw new Error('the client ended without a word')
  }
}

function longestGap(times: readonly number[]): number {
  return [...times]
    .sort((a, b) => a - b)
    .reduce((most, at, i, sorted) => Math.max(most, at - (sorted[i - 1] ?? at)), 0)
}
