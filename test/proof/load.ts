import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Lab } from '../../src/lab/index.ts'

/** A site that is asked through a port of this machine. */
export interface Target {
  readonly port: number
  /** Whom its clients trust, as PEM. */
  readonly authorities: readonly string[]
  /** Takes the file of the keys of acknowledged writes. */
  readonly directory: string
  /** The keys of a run that are in the database. Without this nobody looks, and none is lost. */
  readonly stored?: (run: string) => Promise<ReadonlySet<string>>
}

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
  /** @default as many requests as two cores bear beside the hosts */
  readonly pace?: Pace
  /** Milliseconds for one request. @default 5000 */
  readonly patience?: number
}

/** What is not told is not done. */
export interface Pace {
  /** Requests begun a second on new connections, whatever has become of those before. */
  readonly newGet?: number
  readonly newPost?: number
  /** Loops with a new connection for each request. */
  readonly freshGets?: number
  readonly freshPosts?: number
  /** Loops that keep one each. */
  readonly keptGets?: number
  readonly keptPosts?: number
  /** Milliseconds that a loop rests between two requests. */
  readonly pause: number
}

/** Fast enough to see a gap. */
const PACE: Pace = { newGet: 25, newPost: 8, keptGets: 3, keptPosts: 2, pause: 15 }

/** A client of the site, in a process of its own. */
export class Load {
  readonly #target: Target
  readonly #child: ChildProcess
  /** The beginning of all its idempotency keys. */
  readonly run: string
  readonly #file: string
  readonly #told: Promise<Told>
  #asked = 0

  private constructor(target: Target, { seconds = 240, pace = PACE, patience = 5_000 }: LoadOptions) {
    this.#target = target
    this.run = randomBytes(6).toString('hex')
    this.#file = `${target.directory}/acknowledged-${this.run}`
    const { port, authorities } = target
    const own = { name: 'notes.test', run: this.run, acknowledged: this.#file }
    const order = { port, authorities, seconds, pace, patience, ...own }
    const program = new URL('client.js', import.meta.url).pathname
    this.#child = spawn(process.execPath, [program, JSON.stringify(order)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#told = this.#listen()
    // Of one that is abandoned nobody wants to know.
    this.#told.catch(() => {})
  }

  /** Begins, and waits until the client is at work. */
  static async on(target: Target, options: LoadOptions = {}): Promise<Load> {
    const load = new Load(target, options)
    await load.reaches(20)
    return load
  }

  /** From before something happens until after it. */
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

  /** The keys of writes that were acknowledged so far. */
  get acknowledged(): readonly string[] {
    // The first of them makes the file.
    return existsSync(this.#file) ? readFileSync(this.#file, 'utf8').split('\n').filter(Boolean) : []
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

/** The site on hosts of a lab. @param trusted beside the lab's own authority, as PEM */
export function targetOf(lab: Lab, directory: string, trusted: readonly string[] = []): Target {
  const own = readFileSync(`${lab.directory}/pki/authority.pem`, 'utf8')
  return { port: lab.ports.https, authorities: [own, ...trusted], directory }
}

function longestGap(times: readonly number[]): number {
  return [...times]
    .sort((a, b) => a - b)
    .reduce((most, at, i, sorted) => Math.max(most, at - (sorted[i - 1] ?? at)), 0)
}
