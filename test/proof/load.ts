import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Lab } from '../../src/lab/index.ts'

/** A site that is reachable through a port of this machine. */
export interface Target {
  readonly port: number
  /** The certificate authorities that its clients trust, as PEM. */
  readonly authorities: readonly string[]
  /** The folder of the file with the keys of acknowledged writes. */
  readonly directory: string
  /** Returns the keys of a run that are in the database. Without it, lost writes are not counted. */
  readonly stored?: (run: string) => Promise<ReadonlySet<string>>
}

export interface Failure {
  readonly lane: string
  readonly begun: number
  readonly ended: number
  readonly outcome: string
}

/** The results of the client. Times are milliseconds since 1970. */
export interface Seen {
  readonly asked: number
  readonly failed: readonly Failure[]
  /** Writes that may have been done or not. */
  readonly unknown: readonly Failure[]
  /** The longest time between two good answers, in milliseconds. */
  readonly gap: number
  /** The longest time between two writes, in milliseconds. */
  readonly writeGap: number
  /** The times of acknowledged writes, in order. */
  readonly written: readonly number[]
  /** Acknowledged writes that are not in the database. */
  readonly lost: number
  readonly acknowledged: number
}

interface ClientReport {
  /** The start of the first request, and the end of the load. */
  readonly began: number
  readonly over: number
  readonly asked: Readonly<Record<string, number>>
  readonly answered: readonly { readonly at: number; readonly lane: string }[]
  readonly failures: readonly Failure[]
}

export interface LoadOptions {
  /** The maximum duration in seconds. @default 240 */
  readonly seconds?: number
  /** @default a rate that two cores can serve next to the hosts */
  readonly pace?: Pace
  /** The timeout of one request in milliseconds. @default 5000 */
  readonly requestTimeout?: number
}

/** The rates of requests. The default of each is 0. */
export interface Pace {
  /** Requests per second on new connections, without waiting for earlier ones. */
  readonly newGet?: number
  readonly newPost?: number
  /** The number of loops with a new connection for each request. */
  readonly freshGets?: number
  readonly freshPosts?: number
  /** The number of loops with one kept-alive connection each. */
  readonly keptGets?: number
  readonly keptPosts?: number
  /** The pause of a loop between two requests, in milliseconds. */
  readonly pause: number
}

/** Fast enough to measure a gap. */
const PACE: Pace = { newGet: 25, newPost: 8, keptGets: 3, keptPosts: 2, pause: 15 }

/** A client of the site, in its own process. */
export class Load {
  readonly #target: Target
  readonly #child: ChildProcess
  /** The prefix of all its idempotency keys. */
  readonly run: string
  readonly #file: string
  readonly #report: Promise<ClientReport>
  #asked = 0

  private constructor(target: Target, { seconds = 240, pace = PACE, requestTimeout = 5_000 }: LoadOptions) {
    this.#target = target
    this.run = randomBytes(6).toString('hex')
    this.#file = `${target.directory}/acknowledged-${this.run}`
    const { port, authorities } = target
    const own = { name: 'notes.test', run: this.run, acknowledged: this.#file }
    const order = { port, authorities, seconds, pace, requestTimeout, ...own }
    const program = new URL('client.js', import.meta.url).pathname
    this.#child = spawn(process.execPath, [program, JSON.stringify(order)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#report = this.#listen()
    // An abandoned client may fail without an unhandled rejection.
    this.#report.catch(() => {})
  }

  /** Starts the client, and waits for its first requests. */
  static async on(target: Target, options: LoadOptions = {}): Promise<Load> {
    const load = new Load(target, options)
    await load.reaches(20)
    return load
  }

  /** Runs the client from before an event until after it. */
  static async during<T>(
    target: Target,
    act: (load: Load) => Promise<T>,
    options: LoadOptions = {},
  ): Promise<{ readonly ended: T; readonly seen: Seen }> {
    const load = await Load.on(target, options)
    try {
      const ended = await act(load)
      return { ended, seen: await load.end() }
    } catch (error) {
      load.#child.kill()
      throw error
    }
  }

  /** The keys of the writes that were acknowledged so far. */
  get acknowledged(): readonly string[] {
    // The first acknowledged write creates the file.
    return existsSync(this.#file) ? readFileSync(this.#file, 'utf8').split('\n').filter(Boolean) : []
  }

  /** Waits until this number of requests have started. */
  async reaches(count: number): Promise<void> {
    while (this.#asked < count && this.#child.exitCode === null) await new Promise((done) => setTimeout(done, 50))
  }

  async end(): Promise<Seen> {
    this.#child.stdin?.end('stop\n')
    const { began, over, asked, answered, failures } = await this.#report
    const times = (of: typeof answered) => of.map(({ at }) => at).sort((a, b) => a - b)
    const written = times(answered.filter(({ lane }) => lane.endsWith('POST')))
    const keys = this.acknowledged
    const stored = await this.#target.stored?.(this.run)
    rmSync(this.#file, { force: true })
    return {
      asked: Object.values(asked).reduce((sum, one) => sum + one, 0),
      failed: failures.filter(({ outcome }) => outcome.startsWith('failed')),
      unknown: failures.filter(({ outcome }) => outcome.startsWith('unknown')),
      gap: longestGap([began, ...times(answered), over]),
      writeGap: longestGap([began, ...written, over]),
      written,
      acknowledged: keys.length,
      lost: stored ? keys.filter((key) => !stored.has(key)).length : 0,
    }
  }

  async #listen(): Promise<ClientReport> {
    const output = this.#child.stdout
    if (!output) throw new Error('the client has no output')
    for await (const line of createInterface({ input: output })) {
      const report = JSON.parse(line) as ClientReport | { readonly asked: number }
      if ('answered' in report) return report
      this.#asked = report.asked
    }
    throw new Error('the client ended without a word')
  }
}

/** The site on hosts of a lab. @param trusted certificate authorities in addition to that of the lab, as PEM */
export function targetOf(lab: Lab, directory: string, trusted: readonly string[] = []): Target {
  const own = readFileSync(`${lab.directory}/pki/authority.pem`, 'utf8')
  return { port: lab.ports.https, authorities: [own, ...trusted], directory }
}

function longestGap(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b).reduce((most, at, i, sorted) => Math.max(most, at - (sorted[i - 1] ?? at)), 0)
}
