import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
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

export interface LoadOptions {
  /** How long it runs when nobody stops it. @default 240 */
  readonly seconds?: number
  /** Requests begun a second, on new connections, and loops that keep one each. @default as many as two cores bear beside the hosts */
  readonly pace?: Readonly<Partial<Pace>>
}

interface Pace {
  readonly newGet: number
  readonly newPost: number
  readonly keptGets: number
  readonly keptPosts: number
  /** Milliseconds that such a loop rests between two requests. */
  readonly pause: number
}

/** Fast enough to see a gap. */
const PACE: Pace = { newGet: 25, newPost: 8, keptGets: 3, keptPosts: 2, pause: 15 }

/** A client of the site, in a process of its own. */
export class Load {
  readonly #site: Site
  readonly #child: ChildProcess
  /** The beginning of all its idempotency keys. */
  readonly run: string
  readonly #acknowledged: string
  readonly #told: Promise<Told>
  #asked = 0

  private constructor(site: Site, { seconds = 240, pace = {} }: LoadOptions) {
    this.#site = site
    this.run = randomBytes(6).toString('hex')
    this.#acknowledged = `${site.directory}/acknowledged-${this.run}`
    const order = {
      port: site.lab.ports.https,
      name: 'notes.test',
      authority: `${site.lab.directory}/pki/authority.pem`,
      seconds,
      pace: { ...PACE, ...pace },
      patience: 5_000,
      run: this.run,
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
  static async on(site: Site, options: LoadOptions = {}): Promise<Load> {
    const load = new Load(site, options)
    await load.reaches(20)
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
    const stored = await this.#site.stored(this.run)
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
