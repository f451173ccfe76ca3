import { StringDecoder } from 'node:string_decoder'
import type { Problem } from '../../model/problem.ts'
import { Secret } from '../../shell/secret.ts'
import { elapsed } from '../../text/duration.ts'
import { printable } from '../../text/printable.ts'
import { groupEqual } from '../group-equal.ts'
import { jsonLine } from '../json.ts'
import type { Paint } from '../problem.ts'

/** How a command ended on one host. */
export interface CommandEnd {
  readonly host: string
  readonly code: number
  readonly timedOut: boolean
  readonly ms: number
}

/** Takes what hosts say to one command, and how it ended on each. */
export interface CommandOutput {
  hear(host: string, stream: 'stdout' | 'stderr', piece: Buffer): void
  end(end: CommandEnd): void
  unreachable(host: string, problem: Problem): void
  /** Nothing more will come. */
  close(ms: number): void
}

interface CommandOutputOptions {
  readonly hosts: readonly string[]
  readonly write: (line: string) => void
  readonly paint: Paint
}

/** What is kept of one host's output before its lines are shown as they come, bytes. */
const MAX_BUFFERED = 64 * 1024

interface HostOutput {
  readonly decoders: { readonly stdout: StringDecoder; readonly stderr: StringDecoder }
  readonly partial: { stdout: string; stderr: string }
  lines: string[]
  bytes: number
  end?: CommandEnd
}

/**
 * For people: hosts that say the same are told of once, when all have ended. When that takes longer, or when there is too much of it,
 * the lines of those that still run are shown as they come, each behind its host's name.
 */
export class GroupedOutput implements CommandOutput {
  readonly #options: CommandOutputOptions
  readonly #said = new Map<string, HostOutput>()
  readonly #lost: string[] = []
  readonly #width: number
  #live = false

  constructor(options: CommandOutputOptions) {
    this.#options = options
    this.#width = Math.max(0, ...options.hosts.map((host) => host.length))
    for (const host of options.hosts) this.#said.set(host, newHostOutput())
  }

  /** Shows what has ended, and from now on each line as it comes. */
  goLive(): void {
    if (this.#live) return
    this.#tellEnded()
    this.#live = true
    for (const [host, said] of this.#said) {
      for (const line of said.lines) this.#tellLine(host, line)
      said.lines = []
    }
  }

  hear(host: string, stream: 'stdout' | 'stderr', piece: Buffer): void {
    const said = this.#said.get(host)
    if (!said) return
    const lines = (said.partial[stream] + said.decoders[stream].write(piece)).split('\n')
    said.partial[stream] = lines.pop() ?? ''
    this.#add(host, said, lines)
    said.bytes += piece.length
    if (said.bytes > MAX_BUFFERED) this.goLive()
  }

  end(end: CommandEnd): void {
    const said = this.#said.get(end.host)
    if (!said) return
    const rest = [said.partial.stdout, said.partial.stderr].filter((line) => line !== '')
    this.#add(end.host, said, rest)
    said.end = end
    if (this.#live) this.#tellLine(end.host, this.#verdict(end))
  }

  unreachable(host: string): void {
    this.#lost.push(host)
  }

  close(ms: number): void {
    if (!this.#live) this.#tellEnded()
    const { write, paint } = this.#options
    const ends = [...this.#said.values()].flatMap(({ end }) => end ?? [])
    const failed = ends.filter(hasFailed).map(({ host }) => host)
    const parts = [
      `${ends.length - failed.length} ok`,
      ...(failed.length > 0 ? [`${failed.length} failed: ${failed.join(', ')}`] : []),
      ...(this.#lost.length > 0 ? [`not reached: ${this.#lost.join(', ')}`] : []),
    ]
    const colour = failed.length + this.#lost.length > 0 ? 'red' : 'green'
    const count = this.#said.size === 1 ? '1 host' : `${this.#said.size} hosts`
    write(`${paint(colour, `${count}: ${parts.join('; ')}.`)} ${paint('dim', `(${elapsed(ms)})`)}`)
  }

  #add(host: string, said: HostOutput, lines: readonly string[]): void {
    const shown = lines.map((line) => Secret.redact(printable(line.replace(/\r$/, ''))))
    if (this.#live) for (const line of shown) this.#tellLine(host, line)
    else said.lines.push(...shown)
  }

  #tellEnded(): void {
    const ended = [...this.#said.values()].flatMap(({ end, lines }) => (end ? [{ end, lines }] : []))
    const { write, paint } = this.#options
    for (const group of groupEqual(ended, ({ end, lines }) => JSON.stringify([this.#verdict(end), lines]))) {
      const [{ end, lines }] = group
      write(`${paint('bold', group.map(({ end }) => end.host).join(', '))}: ${this.#verdict(end)}`)
      for (const line of lines) write(`    ${line}`.trimEnd())
      for (const { end } of group) this.#said.get(end.host)?.lines.splice(0)
    }
  }

  #tellLine(host: string, line: string): void {
    const { write, paint } = this.#options
    write(`${paint('dim', `${host.padEnd(this.#width)} |`)} ${line}`.trimEnd())
  }

  #verdict(end: CommandEnd): string {
    const { paint } = this.#options
    if (end.timedOut) return paint('red', 'stopped: it took too long')
    return end.code === 0 ? paint('green', 'ok') : paint('red', `exit status ${end.code}`)
  }
}

/** What is kept of each of a host's outputs for programs, bytes: the last. */
const MAX_JSON_OUTPUT = 1024 * 1024

/** For programs: an object for each host, when it has ended. */
export class JsonOutput implements CommandOutput {
  readonly #write: (line: string) => void
  readonly #said = new Map<string, { stdout: Tail; stderr: Tail }>()
  readonly #count = { ok: 0, failed: 0, unreachable: 0 }

  constructor({ hosts, write }: Pick<CommandOutputOptions, 'hosts' | 'write'>) {
    this.#write = write
    for (const host of hosts) this.#said.set(host, { stdout: new Tail(), stderr: new Tail() })
  }

  hear(host: string, stream: 'stdout' | 'stderr', piece: Buffer): void {
    this.#said.get(host)?.[stream].push(piece)
  }

  end(end: CommandEnd): void {
    this.#count[hasFailed(end) ? 'failed' : 'ok']++
    const { stdout, stderr } = this.#said.get(end.host) ?? {}
    const cut = (stdout?.cut || stderr?.cut) && { cut: true }
    const texts = { stdout: stdout?.text ?? '', stderr: stderr?.text ?? '' }
    this.#write(jsonLine({ kind: 'result', ...end, ...texts, ...cut }))
  }

  unreachable(host: string, problem: Problem): void {
    this.#count.unreachable++
    this.#write(jsonLine({ kind: 'unreachable', host, problem }))
  }

  close(ms: number): void {
    this.#write(jsonLine({ kind: 'end', hosts: [...this.#said.keys()], ...this.#count, ms }))
  }
}

/** The last of what was written. */
class Tail {
  readonly #pieces: Buffer[] = []
  #bytes = 0
  cut = false

  push(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#bytes += piece.length
    while (this.#pieces.length > 1 && this.#bytes - (this.#pieces[0]?.length ?? 0) > MAX_JSON_OUTPUT) {
      this.#bytes -= this.#pieces.shift()?.length ?? 0
      this.cut = true
    }
  }

  get text(): string {
    return Buffer.concat(this.#pieces).toString()
  }
}

export function hasFailed({ code, timedOut }: Pick<CommandEnd, 'code' | 'timedOut'>): boolean {
  return code !== 0 || timedOut
}

function newHostOutput(): HostOutput {
  const decoders = { stdout: new StringDecoder(), stderr: new StringDecoder() }
  return { decoders, partial: { stdout: '', stderr: '' }, lines: [], bytes: 0 }
}
