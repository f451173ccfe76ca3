import type { Dialect, Frame } from '../shell/frame.ts'
import { encode, TRAILER, TRIP } from '../shell/frame.ts'
import { type Mark, Splitter } from '../shell/splitter.ts'
import type { Become } from './become.ts'
import { framesOf } from './frames-of.ts'
import { lockProblem } from './lock.ts'
import { Lost } from './lost.ts'
import { Promised } from './promised.ts'
import { refusal } from './refusal.ts'
import type { Opened, Result, Script, Session, TripOptions } from './session.ts'
import { settled } from './settled.ts'
import { stop } from './stop.ts'
import { Task } from './task.ts'
import type { Ending, Link, Wire } from './wire.ts'

export interface Parts {
  readonly link: Link
  readonly host: string
  readonly become: Become
  readonly patience: number
  readonly dialect: Dialect
  readonly wire: Wire
  /** What makes the shell ready. */
  readonly opening: string
  /** Starts another shell of the same kind, from where this one's scripts can be killed. */
  readonly another: () => Promise<Wire>
}

/** A session over one shell: frames go to its stdin, and its two outputs are cut at their marks. */
export class ShellSession implements Session {
  readonly #parts: Parts
  readonly #opened = new Promised<Opened>()
  readonly #streams: { readonly stdout: Splitter; readonly stderr: Splitter }
  readonly #tasks = new Map<number, Task>()
  /** Why nothing can be run any more. */
  #over: Error | undefined
  #closed: Promise<void> | undefined
  #last: Promise<unknown> = Promise.resolve()
  #frames = 0
  #trips = 0

  constructor(parts: Parts) {
    const { wire, dialect, patience, opening } = parts
    this.#parts = parts
    this.#streams = { stdout: new Splitter(dialect.token), stderr: new Splitter(dialect.token) }
    for (const name of ['stdout', 'stderr'] as const) {
      wire[name].on('data', (chunk: Buffer) => {
        for (const mark of this.#streams[name].push(chunk)) this.#hear(name, mark)
      })
      wire[name].on('error', () => {})
      // It was paused when a password was asked for.
      wire[name].resume()
    }
    // Too late to write: the ending, which tells more, is on its way.
    wire.stdin.on('error', () => {})
    const timer = setTimeout(() => this.#fail(this.#mute()), patience)
    void this.#opened.promise.finally(() => clearTimeout(timer)).catch(() => {})
    void wire.ended.then(async (ending) => {
      await settled(wire)
      this.#fail(this.#obituary(ending))
    })
    wire.stdin.write(opening)
  }

  get opened(): Promise<Opened> {
    return this.#opened.promise
  }

  get trips(): number {
    return this.#trips
  }

  get traffic(): { readonly sent: number; readonly received: number } {
    return this.#parts.link.traffic
  }

  run(scripts: readonly Script[], options: TripOptions = {}): Promise<readonly Result[]> {
    if (this.#closed) return Promise.reject(new Error(`the session on ${this.#parts.host} was closed`))
    const results = this.#last.then(() => this.#travel(scripts, options))
    this.#last = results.catch(() => {})
    return results
  }

  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }

  async #end(): Promise<void> {
    await this.#last
    const { wire } = this.#parts
    wire.stdin.end()
    const timer = setTimeout(() => wire.destroy(), LEAVE)
    await wire.ended
    clearTimeout(timer)
    this.#opened.promise.catch(() => {})
    this.#fail(new Error(`the session on ${this.#parts.host} was closed`))
  }

  async #travel(
    scripts: readonly Script[],
    { stopAtFailure = false }: TripOptions,
  ): Promise<readonly Result[]> {
    const frames = framesOf(scripts, { first: this.#frames + 1, stopAtFailure })
    this.#frames += frames.length
    const tasks = frames.map((frame, i) => new Task(frame, scripts[i]?.timeout))
    const results = Promise.all(tasks.map(({ result }) => result))
    results.catch(() => {})
    if (this.#over) throw this.#over
    for (const task of tasks) this.#tasks.set(task.frame.id, task)
    await this.#send(tasks, scripts)
    return results
  }

  /** Sends up to each script that waits for many bytes, then the bytes together with what follows. */
  async #send(tasks: readonly Task[], scripts: readonly Script[]): Promise<void> {
    let parts: Uint8Array[] = [Buffer.from(TRIP)]
    for (const [i, task] of tasks.entries()) {
      parts.push(encode(task.frame, this.#parts.dialect))
      const input = scripts[i]?.input
      if (!input || !isAwaited(task.frame)) continue
      this.#write(parts)
      parts = (await task.ready) ? [input, Buffer.from(TRAILER)] : []
    }
    if (parts.length > 0) this.#write(parts)
  }

  #write(parts: readonly Uint8Array[]): void {
    this.#trips++
    const { stdin } = this.#parts.wire
    if (this.#over) throw this.#over
    stdin.write(Buffer.concat(parts))
  }

  #hear(stream: 'stdout' | 'stderr', mark: Mark): void {
    if (mark.kind === 'h' && stream === 'stdout') this.#greet(mark.value)
    const task = this.#tasks.get(mark.frame)
    if (mark.kind === 'p') task?.started(mark.value, () => void this.#kill(task))
    if (mark.kind === 'r') task?.welcome()
    if (mark.kind === 'e' && task?.heard(stream, mark)) this.#tasks.delete(mark.frame)
  }

  #greet(said: string): void {
    const [word, pid, ...warnings] = said.split(' ')
    const { host } = this.#parts
    if (word === 'ok')
      this.#opened.resolve({ pid: Number(pid), warnings: warnings.includes('logged') ? [logged(host)] : [] })
    else this.#fail(lockProblem(host, said) ?? new Error(`unknown greeting: ${said}`))
  }

  /** Kills a script from outside. Should even that not end it, the whole session is given up: a run must not hang. */
  async #kill(task: Task): Promise<void> {
    const { host, another } = this.#parts
    const timer = setTimeout(() => {
      this.#fail(new Lost(host, 'a script had to be killed for its timeout, but did not end'))
    }, KILLING)
    void task.result.finally(() => clearTimeout(timer)).catch(() => {})
    if (task.process) await stop(another, task.process).catch(() => {})
  }

  #fail(why: Error): void {
    if (this.#over) return
    this.#over = why
    this.#opened.reject(why)
    for (const task of this.#tasks.values()) task.fail(why)
    this.#tasks.clear()
    this.#parts.wire.destroy()
  }

  #mute(): Error {
    const { host, become, patience } = this.#parts
    return refusal({ host, become, said: `${this.#said()}\nno shell after ${patience / 1000} s` })
  }

  #obituary(ending: Ending): Error {
    const { host, become } = this.#parts
    if (this.#opened.state === 'waiting' && ending.lost === undefined)
      return refusal({ host, become, said: this.#said(), ending })
    return new Lost(host, ending.lost ?? `its shell ended${how(ending)}`, {
      details: this.#said().split('\n').filter(Boolean).slice(-5),
    })
  }

  #said(): string {
    return this.#streams.stderr.remainder().toString()
  }
}

/** Milliseconds after which a shell that was told to end, or a script that was killed, is given up. */
const LEAVE = 5_000
const KILLING = 10_000

function isAwaited({ input }: Frame): boolean {
  return input !== undefined && 'follows' in input
}

function how({ code, signal }: Ending): string {
  if (signal !== undefined) return `, killed by SIG${signal.replace(/^SIG/, '')}`
  return code === undefined ? '' : ` with ${code}`
}

function logged(host: string): string {
  return `sudo on ${host} writes all that it is sent to the disk (log_input), secrets too: \`Defaults!/bin/sh !log_input\` keeps ours out`
}
