import { once } from 'node:events'
import type { Clock } from '../clock.ts'
import { Deferred } from '../concurrency.ts'
import { ConnectionLost, sessionLost } from '../errors.ts'
import type { Connection, Exit, RemoteProcess } from '../transport.ts'
import { drainOutput } from '../transport.ts'
import type { Become } from './become.ts'
import { becomeError } from './become-errors.ts'
import { type Challenge, wrongShell } from './challenge.ts'
import type { Dialect } from './frame.ts'
import { lockError } from './lock.ts'
import { skipRest } from './opening.ts'
import { sendTasks } from './send.ts'
import type { Result, Script, Session, ShellInfo, TripOptions } from './session.ts'
import { type Mark, Splitter } from './splitter.ts'
import { killProcess, runInOwnShell } from './stop.ts'
import type { Task } from './tasks.ts'
import { createTasks } from './tasks-of.ts'

export interface SessionParts {
  readonly link: Connection
  readonly host: string
  readonly become: Become
  /** Milliseconds until the shell must have answered. */
  readonly timeout: number
  /** Multiplies the timeouts of scripts. */
  readonly timeoutFactor: number
  readonly clock: Clock
  readonly dialect: Dialect
  readonly wire: RemoteProcess
  /** The proof that the opening demands. */
  readonly asked: Challenge
  /** What makes the shell ready. */
  readonly opening: string
  /** Starts another shell of the same kind, from where this one's scripts can be killed. */
  readonly another: () => Promise<RemoteProcess>
}

/** A session over one shell: frames go to its stdin, and its two outputs are cut at their marks. */
export class ShellSession implements Session {
  readonly #parts: SessionParts
  readonly #opened = new Deferred<ShellInfo>()
  readonly #streams: { readonly stdout: Splitter; readonly stderr: Splitter }
  readonly #tasks = new Map<number, Task>()
  /** Why nothing can be run any more. */
  #over: Error | undefined
  #closed: Promise<void> | undefined
  #last: Promise<unknown> = Promise.resolve()
  readonly #ends = new AbortController()
  #next = 1
  #trips = 0

  constructor(parts: SessionParts) {
    const { wire, dialect, timeout, clock, opening } = parts
    this.#parts = parts
    this.#streams = { stdout: new Splitter(dialect.token), stderr: new Splitter(dialect.token) }
    this.#listen('stdout')
    this.#listen('stderr')
    const limit = clock.limit({
      ms: timeout,
      expire: () => this.#fail(this.#refused(`no answer in ${timeout / 1000} s`)),
    })
    void this.#opened.promise.finally(() => limit.end()).catch(() => {})
    void wire.ended.then((ending) => this.#bury(ending))
    // Too late to write: the ending, which tells more, is on its way.
    wire.stdin.on('error', () => {})
    wire.stdin.write(opening)
  }

  get opened(): Promise<ShellInfo> {
    return this.#opened.promise
  }

  get trips(): number {
    return this.#trips
  }

  get traffic(): { readonly sent: number; readonly received: number } {
    return this.#parts.link.traffic
  }

  run(scripts: readonly Script[], options: TripOptions = {}): Promise<readonly Result[]> {
    if (this.#closed) return Promise.reject(this.#gone())
    const results = this.#last.then(() => this.#travel(scripts, options))
    this.#last = results.catch(() => {})
    return results
  }

  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }

  async #travel(
    scripts: readonly Script[],
    { stopAtFailure = false, stop }: TripOptions,
  ): Promise<readonly Result[]> {
    if (this.#over) throw this.#over
    if (scripts.length === 0) return []
    const { dialect, timeoutFactor, clock } = this.#parts
    const first = this.#next
    const tasks = await createTasks(scripts, { dialect, timeoutFactor, clock, first, stopAtFailure })
    this.#next += tasks.length
    for (const task of tasks) this.#tasks.set(task.id, task)
    const results = Promise.all(tasks.map(({ result }) => result))
    const sent = sendTasks(tasks, {
      write: (text) => {
        this.#trips++
        return this.#pass(text)
      },
      pass: (piece) => this.#pass(piece),
    })
    // The host still waits for what cannot be had any more.
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

  /** Tells the shell, from another one, that no further script of this trip is to begin. */
  async #skipRest(): Promise<void> {
    const { pid } = await this.opened
    await runInOwnShell(this.#parts.another, skipRest(pid))
  }

  /** Settles when the wire takes more, or when it never will: the next one is told why. */
  async #pass(bytes: Uint8Array): Promise<void> {
    if (this.#over) throw this.#over
    const { stdin } = this.#parts.wire
    if (!stdin.write(bytes)) await once(stdin, 'drain', { signal: this.#ends.signal }).catch(() => {})
  }

  #listen(name: 'stdout' | 'stderr'): void {
    const stream = this.#parts.wire[name]
    stream
      .on('error', () => {})
      .on('data', (chunk: Buffer) => {
        for (const mark of this.#streams[name].push(chunk)) this.#hear(name, mark)
        if (name === 'stdout') this.#refuseEcho()
      })
    // It was paused when a password was asked for.
    stream.resume()
  }

  #hear(stream: 'stdout' | 'stderr', mark: Mark): void {
    if (mark.kind === 'h' && stream === 'stdout') this.#greet(mark.value)
    const task = this.#tasks.get(mark.frame)
    if (mark.kind === 'p') task?.started(mark.value, () => void this.#kill(task))
    if (mark.kind === 'r') task?.welcome()
    if (mark.kind === 's') task?.hear?.(mark.value)
    if (mark.kind === 'e' && task?.heard(stream, mark)) this.#tasks.delete(mark.frame)
  }

  #greet(said: string): void {
    const [word, pid, proof, ...warnings] = said.split(' ')
    const { host, become, asked } = this.#parts
    if (word === 'not' || (word === 'ok' && proof !== asked.answer))
      this.#fail(wrongShell(host, become, said))
    else if (word !== 'ok') this.#fail(lockError(host, said))
    this.#opened.resolve({
      pid: Number(pid),
      warnings: warnings.flatMap((word) => WARNINGS[word]?.(host) ?? []),
    })
  }

  #refuseEcho(): void {
    const { host, become, asked } = this.#parts
    if (this.#opened.state !== 'waiting') return
    const said = this.#streams.stdout.remainder().toString('latin1')
    if (asked.isEcho(said)) this.#fail(wrongShell(host, become, said))
  }

  /** Kills a script from outside. Should even that not end it, the whole session is given up: a run must not hang. */
  async #kill({ process, result }: Task): Promise<void> {
    const { host, another, clock, timeout } = this.#parts
    const why = new ConnectionLost(host, 'a script had to be killed for its timeout, and would not end')
    const limit = clock.limit({ ms: Math.max(timeout, KILLING), expire: () => this.#fail(why) })
    void result.finally(() => limit.end()).catch(() => {})
    if (process) await killProcess(another, process).catch(() => {})
  }

  async #end(): Promise<void> {
    await this.#last
    const { wire, clock } = this.#parts
    wire.stdin.end()
    const limit = clock.limit({ ms: LEAVING, expire: () => wire.destroy() })
    await wire.ended
    limit.end()
    this.#fail(this.#gone())
  }

  async #bury(ending: Exit): Promise<void> {
    await drainOutput(this.#parts.wire, this.#parts.clock)
    const wasThere = this.#opened.state === 'resolved' || ending.lost !== undefined
    this.#fail(wasThere ? sessionLost(this.#parts.host, ending) : this.#refused('', ending))
  }

  #fail(why: Error): void {
    if (this.#over) return
    this.#over = why
    this.#ends.abort()
    this.#opened.reject(why)
    for (const task of this.#tasks.values()) task.fail(why)
    this.#tasks.clear()
    this.#parts.wire.destroy()
  }

  #refused(why: string, ending?: Exit): Error {
    const { host, become } = this.#parts
    const said = `${this.#streams.stderr.remainder()}\n${why}`
    return becomeError({ host, become, said, ...(ending ? { ending } : {}) })
  }

  #gone(): Error {
    return new Error(`the session on ${this.#parts.host} was closed`)
  }
}

/** Milliseconds after which a script that was killed, or a shell that was told to end, is given up. */
const KILLING = 10_000
const LEAVING = 5_000

const WARNINGS: Readonly<Record<string, (host: string) => string>> = {
  logged: (host) =>
    `sudo on ${host} writes all that it is sent to the disk (log_input), secrets too: \`Defaults!/bin/sh !log_input\` keeps ours out`,
  taken: (host) =>
    `${host} was held by a run whose connection was dead; it was ended, and the host taken over`,
}
