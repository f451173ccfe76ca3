import type { Clock, Limit } from '../clock.ts'
import { Deferred } from '../concurrency.ts'
import type { Mark } from './frame.ts'
import type { ProcessId } from './process-tree.ts'
import type { Result, Script } from './session.ts'

interface TaskParts {
  readonly id: number
  readonly script: Script
  /** The frame. */
  readonly text: Buffer
  /** An input that is too large for the frame and is sent when the host is ready for it. */
  readonly follows: AsyncIterable<Uint8Array> | undefined
  /** Multiplies the timeout. */
  readonly timeoutFactor: number
  readonly clock: Clock
}

/** One script from sending to result. */
export class Task {
  readonly id: number
  readonly text: Buffer
  readonly follows: AsyncIterable<Uint8Array> | undefined
  readonly #script: Script
  readonly #timeout: number
  readonly #clock: Clock
  readonly #result = new Deferred<Result>()
  readonly #ready = new Deferred<boolean>()
  readonly #output: { stdout?: Buffer; stderr?: Buffer } = {}
  #process: ProcessId | undefined
  #limit: Limit | undefined
  #expired = false

  constructor({ id, script, text, follows, timeoutFactor, clock }: TaskParts) {
    this.id = id
    this.text = text
    this.follows = follows
    this.#script = script
    this.#timeout = (script.timeout ?? Number.POSITIVE_INFINITY) * timeoutFactor
    this.#clock = clock
  }

  get onProgress(): Script['onProgress'] {
    return this.#script.onProgress
  }

  get result(): Promise<Result> {
    return this.#result.promise
  }

  /** Resolves to true when the host waits for the input, false if it does not need it. */
  get ready(): Promise<boolean> {
    return this.#ready.promise
  }

  /** Known after its start, if it has a timeout. */
  get process(): ProcessId | undefined {
    return this.#process
  }

  /** @param process `PID.STARTTIME` */
  started(process: string, expire: () => void): void {
    const [pid, started] = process.split('.')
    if (pid && started) this.#process = { pid: Number(pid), started }
    this.#script.onStart?.()
    this.#limit = this.#clock.limit({
      ms: this.#timeout,
      expire: () => {
        this.#expired = true
        expire()
      },
    })
  }

  acceptInput(): void {
    this.#ready.resolve(true)
  }

  /** @returns true if both streams have reported the end */
  finish(stream: 'stdout' | 'stderr', { value, body }: Mark): boolean {
    // The end of a script that ended its subshell is reported twice; the first report is the right one.
    this.#output[stream] ??= body
    this.#limit?.end()
    const { stdout, stderr } = this.#output
    if (!stdout || !stderr) return false
    const skipped = value === 'skip'
    const code = skipped ? -1 : Number(value)
    this.#ready.resolve(false)
    const timedOut = this.#expired && code === KILLED
    const result = { code, stdout, stderr, skipped, timedOut, ...(timedOut && { limit: this.#timeout }) }
    this.#result.resolve(result)
    this.#script.onDone?.(result)
    return true
  }

  fail(error: Error): void {
    this.#limit?.end()
    this.#ready.reject(error)
    this.#result.reject(error)
  }
}

const KILLED = 128 + 9
