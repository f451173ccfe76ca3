import type { Clock, Limit } from '../clock.ts'
import { Deferred } from '../concurrency.ts'
import type { ProcessId } from './process-tree.ts'
import type { Result } from './session.ts'
import type { Mark } from './splitter.ts'

export interface TaskParts {
  readonly id: number
  /** The frame. */
  readonly text: Buffer
  /** An input too large to be in the text: it goes after it, when the host is ready for it. */
  readonly follows: AsyncIterable<Uint8Array> | undefined
  /** Milliseconds. */
  readonly timeout: number | undefined
  readonly clock: Clock
  /** Told what it says while it runs. */
  readonly hear: ((line: string) => void) | undefined
  readonly onStart: (() => void) | undefined
  readonly onDone: ((result: Result) => void) | undefined
}

/** One script from its sending to its result. */
export class Task {
  readonly id: number
  readonly text: Buffer
  readonly follows: AsyncIterable<Uint8Array> | undefined
  readonly hear: ((line: string) => void) | undefined
  readonly #onStart: (() => void) | undefined
  readonly #onDone: ((result: Result) => void) | undefined
  readonly #timeout: number
  readonly #clock: Clock
  readonly #result = new Deferred<Result>()
  readonly #ready = new Deferred<boolean>()
  readonly #bodies: { stdout?: Buffer; stderr?: Buffer } = {}
  #process: ProcessId | undefined
  #limit: Limit | undefined
  #late = false

  constructor({
    id,
    text,
    follows,
    timeout = Number.POSITIVE_INFINITY,
    clock,
    hear,
    onStart,
    onDone,
  }: TaskParts) {
    this.id = id
    this.text = text
    this.follows = follows
    this.hear = hear
    this.#onStart = onStart
    this.#onDone = onDone
    this.#timeout = timeout
    this.#clock = clock
  }

  get result(): Promise<Result> {
    return this.#result.promise
  }

  /** True when the host waits for the input, false when it has no use for it. */
  get ready(): Promise<boolean> {
    return this.#ready.promise
  }

  /** Known once it has started, if it has a timeout. */
  get process(): ProcessId | undefined {
    return this.#process
  }

  started(who: string, expire: () => void): void {
    const [pid, started] = who.split('.')
    if (pid && started) this.#process = { pid: Number(pid), started }
    this.#onStart?.()
    this.#limit = this.#clock.limit({
      ms: this.#timeout,
      expire: () => {
        this.#late = true
        expire()
      },
    })
  }

  welcome(): void {
    this.#ready.resolve(true)
  }

  /** True when both streams have told the end. */
  heard(stream: 'stdout' | 'stderr', { value, body }: Mark): boolean {
    // Of a script that ended its subshell we are told twice; the first time is the true one.
    this.#bodies[stream] ??= body
    this.#limit?.end()
    const { stdout, stderr } = this.#bodies
    if (!stdout || !stderr) return false
    const skipped = value === 'skip'
    const code = skipped ? -1 : Number(value)
    this.#ready.resolve(false)
    const timedOut = this.#late && code === KILLED
    const result = { code, stdout, stderr, skipped, timedOut, ...(timedOut && { limit: this.#timeout }) }
    this.#result.resolve(result)
    this.#onDone?.(result)
    return true
  }

  fail(why: Error): void {
    this.#limit?.end()
    this.#ready.reject(why)
    this.#result.reject(why)
  }
}

const KILLED = 128 + 9
