import { once } from 'node:events'
import { type Shell, sh } from '../../shell/sh.ts'
import type { Clock } from '../clock.ts'
import { Deferred } from '../concurrency.ts'
import { ConnectionLost, sessionLost } from '../errors.ts'
import { type Connection, drainOutput, type Exit, type RemoteProcess } from '../transport.ts'
import { becomeError, type Challenge, wrongShell } from './become.ts'
import { type Dialect, type Mark, Splitter } from './frame.ts'
import { lockError } from './lock.ts'
import { killTree } from './process-tree.ts'
import type { Become, Result, Script, Session, ShellInfo, TripOptions } from './session.ts'
import type { Task } from './task.ts'
import { createTasks, sendTasks } from './trip.ts'

interface ShellSessionParts {
  readonly connection: Connection
  readonly host: string
  readonly become: Become
  /** Milliseconds until the shell must have answered. */
  readonly timeout: number
  /** Multiplies the timeouts of scripts. */
  readonly timeoutFactor: number
  readonly clock: Clock
  readonly dialect: Dialect
  readonly shell: RemoteProcess
  /** The proof that the opening asks for. */
  readonly challenge: Challenge
  /** The text that prepares the shell. */
  readonly opening: string
  /** Starts another such shell, which can kill the scripts of this one. */
  readonly startShell: () => Promise<RemoteProcess>
}

/** A session over one shell: frames go to its stdin, and its two outputs are split at their marks. */
export class ShellSession implements Session {
  readonly #parts: ShellSessionParts
  readonly #opened = new Deferred<ShellInfo>()
  readonly #streams: { readonly stdout: Splitter; readonly stderr: Splitter }
  readonly #tasks = new Map<number, Task>()
  /** The reason why the session has ended. */
  #error: Error | undefined
  #closed: Promise<void> | undefined
  #last: Promise<unknown> = Promise.resolve()
  readonly #ended = new AbortController()
  #nextId = 1
  #trips = 0

  constructor(parts: ShellSessionParts) {
    const { shell, dialect, timeout, clock, opening } = parts
    this.#parts = parts
    this.#streams = { stdout: new Splitter(dialect.token), stderr: new Splitter(dialect.token) }
    this.#listen('stdout')
    this.#listen('stderr')
    const limit = clock.limit({
      ms: timeout,
      expire: () => this.#fail(this.#becomeError(`no answer in ${timeout / 1000} s`)),
    })
    void this.#opened.promise.finally(() => limit.end()).catch(() => {})
    void shell.exit.then((exit) => this.#shellEnded(exit))
    // A write after the end: the exit, which has more information, is pending.
    shell.stdin.on('error', () => {})
    shell.stdin.write(opening)
  }

  get opened(): Promise<ShellInfo> {
    return this.#opened.promise
  }

  get trips(): number {
    return this.#trips
  }

  get traffic(): { readonly sent: number; readonly received: number } {
    return this.#parts.connection.traffic
  }

  run(scripts: readonly Script[], options: TripOptions = {}): Promise<readonly Result[]> {
    if (this.#closed) return Promise.reject(this.#closedError())
    const results = this.#last.then(() => this.#travel(scripts, options))
    this.#last = results.catch(() => {})
    return results
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #travel(scripts: readonly Script[], { stopAtFailure = false, stop }: TripOptions): Promise<readonly Result[]> {
    if (this.#error) throw this.#error
    if (scripts.length === 0) return []
    const { dialect, timeoutFactor, clock } = this.#parts
    const firstId = this.#nextId
    const tasks = await createTasks(scripts, { dialect, timeoutFactor, clock, firstId, stopAtFailure })
    this.#nextId += tasks.length
    for (const task of tasks) this.#tasks.set(task.id, task)
    const results = Promise.all(tasks.map(({ result }) => result))
    const sent = sendTasks(tasks, {
      write: (text) => {
        this.#trips++
        return this.#write(text)
      },
      writeInput: (piece) => this.#write(piece),
    })
    // The host still waits for input that cannot be read.
    void sent.catch((error: unknown) => this.#fail(error instanceof Error ? error : new Error(String(error))))
    const skip = () => void this.#skipRest().catch(() => {})
    if (stop?.aborted) skip()
    stop?.addEventListener('abort', skip)
    try {
      await Promise.all([results, sent])
    } finally {
      stop?.removeEventListener('abort', skip)
    }
    return results
  }

  /** Makes the shell skip the scripts of this trip that have not started. */
  async #skipRest(): Promise<void> {
    const { pid } = await this.opened
    await this.#runElsewhere(sh`kill -USR1 ${pid}`)
  }

  /** Resolves when the shell takes more input or has ended; the next write then throws the reason. */
  async #write(bytes: Uint8Array): Promise<void> {
    if (this.#error) throw this.#error
    const { stdin } = this.#parts.shell
    if (!stdin.write(bytes)) await once(stdin, 'drain', { signal: this.#ended.signal }).catch(() => {})
  }

  #listen(name: 'stdout' | 'stderr'): void {
    const stream = this.#parts.shell[name]
    stream
      .on('error', () => {})
      .on('data', (chunk: Buffer) => {
        for (const mark of this.#streams[name].push(chunk)) this.#handle(name, mark)
        if (name === 'stdout') this.#rejectEcho()
      })
    // It was paused after a password prompt.
    stream.resume()
  }

  #handle(stream: 'stdout' | 'stderr', mark: Mark): void {
    if (mark.kind === 'h' && stream === 'stdout') this.#greeted(mark.value)
    const task = this.#tasks.get(mark.frame)
    if (mark.kind === 'p') task?.started(mark.value, () => void this.#kill(task))
    if (mark.kind === 'r') task?.acceptInput()
    if (mark.kind === 's') task?.onProgress?.(mark.value)
    if (mark.kind === 'e' && task?.finish(stream, mark)) this.#tasks.delete(mark.frame)
  }

  #greeted(greeting: string): void {
    const [word, pid, proof, ...warnings] = greeting.split(' ')
    const { host, become, challenge } = this.#parts
    if (word === 'not' || (word === 'ok' && proof !== challenge.answer)) this.#fail(wrongShell(host, become, greeting))
    else if (word !== 'ok') this.#fail(lockError(host, greeting))
    this.#opened.resolve({ pid: Number(pid), warnings: warnings.flatMap((word) => WARNINGS[word]?.(host) ?? []) })
  }

  #rejectEcho(): void {
    const { host, become, challenge } = this.#parts
    if (this.#opened.state !== 'pending') return
    const output = this.#streams.stdout.remainder().toString('latin1')
    if (challenge.isEcho(output)) this.#fail(wrongShell(host, become, output))
  }

  /** Kills a script from another shell. If that does not end it in time, the session is given up, so that a run cannot hang. */
  async #kill({ process, result }: Task): Promise<void> {
    const { host, clock, timeout } = this.#parts
    const error = new ConnectionLost(host, 'a script did not end after its timeout, although it was killed')
    const limit = clock.limit({ ms: Math.max(timeout, KILL_TIMEOUT), expire: () => this.#fail(error) })
    void result.finally(() => limit.end()).catch(() => {})
    if (process) await this.#runElsewhere(killTree(process)).catch(() => {})
  }

  /** Runs a script in another shell and ignores its output. */
  async #runElsewhere(script: Shell): Promise<void> {
    const shell = await this.#parts.startShell()
    shell.stdout.on('error', () => {}).resume()
    shell.stderr.on('error', () => {}).resume()
    shell.stdin.on('error', () => {}).end(script.text)
    await shell.exit
  }

  async #close(): Promise<void> {
    await this.#last
    const { shell, clock } = this.#parts
    shell.stdin.end()
    const limit = clock.limit({ ms: CLOSE_TIMEOUT, expire: () => shell.destroy() })
    await shell.exit
    limit.end()
    this.#fail(this.#closedError())
  }

  async #shellEnded(exit: Exit): Promise<void> {
    await drainOutput(this.#parts.shell, this.#parts.clock)
    const wasOpen = this.#opened.state === 'resolved' || exit.lost !== undefined
    this.#fail(wasOpen ? sessionLost(this.#parts.host, exit) : this.#becomeError('', exit))
  }

  #fail(error: Error): void {
    if (this.#error) return
    this.#error = error
    this.#ended.abort()
    this.#opened.reject(error)
    for (const task of this.#tasks.values()) task.fail(error)
    this.#tasks.clear()
    this.#parts.shell.destroy()
  }

  #becomeError(why: string, exit?: Exit): Error {
    const { host, become } = this.#parts
    const stderr = `${this.#streams.stderr.remainder()}\n${why}`
    return becomeError({ host, become, stderr, ...(exit ? { exit } : {}) })
  }

  #closedError(): Error {
    return new Error(`the session on ${this.#parts.host} was closed`)
  }
}

/** Milliseconds until a killed script must have ended. */
const KILL_TIMEOUT = 10_000
/** Milliseconds until a closed shell must have ended. */
const CLOSE_TIMEOUT = 5_000

const WARNINGS: Readonly<Record<string, (host: string) => string>> = {
  logged: (host) =>
    `sudo on ${host} logs its input to disk (log_input), including secrets: \`Defaults!/bin/sh !log_input\` excludes the input of runs`,
  taken: (host) => `${host} was locked by a run whose connection was dead; that run was ended`,
}
