import { StringDecoder } from 'node:string_decoder'
import type { Problem } from '../../model/problem.ts'
import { elapsed } from '../../shell/duration.ts'
import { printable } from '../../shell/printable.ts'
import { Secret } from '../../shell/secret.ts'
import { count, groupEqual } from '../format.ts'
import type { Paint } from '../problem.ts'
import { jsonLine } from '../reporter.ts'

/** The end of a command on one host. */
interface CommandEnd {
  readonly host: string
  readonly code: number
  readonly timedOut: boolean
  readonly ms: number
}

/** Takes the output and the end of one command on several hosts. */
interface CommandOutput {
  receive(host: string, stream: 'stdout' | 'stderr', piece: Buffer): void
  end(end: CommandEnd): void
  unreachable(host: string, problem: Problem): void
  /** Called once, after the last host. */
  close(ms: number): void
}

interface CommandOutputOptions {
  readonly hosts: readonly string[]
  readonly write: (line: string) => void
  readonly paint: Paint
}

/** Bytes that are buffered of one host before its lines are shown as they arrive. */
const MAX_BUFFERED = 64 * 1024

interface HostOutput {
  readonly decoders: { readonly stdout: StringDecoder; readonly stderr: StringDecoder }
  readonly partial: { stdout: string; stderr: string }
  lines: string[]
  bytes: number
  end?: CommandEnd
}

/**
 * For terminals: hosts with equal output are shown once, after all have ended. When that takes long, or with much output, lines are
 * shown as they arrive, after the name of their host.
 */
export class GroupedOutput implements CommandOutput {
  readonly #options: CommandOutputOptions
  readonly #outputs = new Map<string, HostOutput>()
  readonly #unreachable: string[] = []
  readonly #width: number
  #live = false

  constructor(options: CommandOutputOptions) {
    this.#options = options
    this.#width = Math.max(0, ...options.hosts.map((host) => host.length))
    for (const host of options.hosts) this.#outputs.set(host, newHostOutput())
  }

  /** Shows the hosts that have ended, and from now on each line as it arrives. */
  goLive(): void {
    if (this.#live) return
    this.#showEnded()
    this.#live = true
    for (const [host, output] of this.#outputs) {
      for (const line of output.lines) this.#showLine(host, line)
      output.lines = []
    }
  }

  receive(host: string, stream: 'stdout' | 'stderr', piece: Buffer): void {
    const output = this.#outputs.get(host)
    if (!output) return
    const lines = (output.partial[stream] + output.decoders[stream].write(piece)).split('\n')
    output.partial[stream] = lines.pop() ?? ''
    this.#add(host, output, lines)
    output.bytes += piece.length
    if (output.bytes > MAX_BUFFERED) this.goLive()
  }

  end(end: CommandEnd): void {
    const output = this.#outputs.get(end.host)
    if (!output) return
    const rest = [output.partial.stdout, output.partial.stderr].filter((line) => line !== '')
    this.#add(end.host, output, rest)
    output.end = end
    if (this.#live) this.#showLine(end.host, this.#result(end))
  }

  unreachable(host: string): void {
    this.#unreachable.push(host)
  }

  close(ms: number): void {
    if (!this.#live) this.#showEnded()
    const { write, paint } = this.#options
    const ends = [...this.#outputs.values()].flatMap(({ end }) => end ?? [])
    const failed = ends.filter(hasFailed).map(({ host }) => host)
    const parts = [
      `${ends.length - failed.length} ok`,
      ...(failed.length > 0 ? [`${failed.length} failed: ${failed.join(', ')}`] : []),
      ...(this.#unreachable.length > 0 ? [`unreachable: ${this.#unreachable.join(', ')}`] : []),
    ]
    const colour = failed.length + this.#unreachable.length > 0 ? 'red' : 'green'
    const hosts = count(this.#outputs.size, 'host')
    write(`${paint(colour, `${hosts}: ${parts.join('; ')}.`)} ${paint('dim', `(${elapsed(ms)})`)}`)
  }

  #add(host: string, output: HostOutput, lines: readonly string[]): void {
    const shown = lines.map((line) => Secret.redact(printable(line.replace(/\r$/, ''))))
    if (this.#live) for (const line of shown) this.#showLine(host, line)
    else output.lines.push(...shown)
  }

  #showEnded(): void {
    const ended = [...this.#outputs.values()].flatMap(({ end, lines }) => (end ? [{ end, lines }] : []))
    const { write, paint } = this.#options
    for (const group of groupEqual(ended, ({ end, lines }) => JSON.stringify([this.#result(end), lines]))) {
      const [{ end, lines }] = group
      write(`${paint('bold', group.map(({ end }) => end.host).join(', '))}: ${this.#result(end)}`)
      for (const line of lines) write(`    ${line}`.trimEnd())
      for (const { end } of group) this.#outputs.get(end.host)?.lines.splice(0)
    }
  }

  #showLine(host: string, line: string): void {
    const { write, paint } = this.#options
    write(`${paint('dim', `${host.padEnd(this.#width)} |`)} ${line}`.trimEnd())
  }

  #result(end: CommandEnd): string {
    const { paint } = this.#options
    if (end.timedOut) return paint('red', 'timed out')
    return end.code === 0 ? paint('green', 'ok') : paint('red', `exit status ${end.code}`)
  }
}

/** Bytes that are kept of each output of a host for JSON: the last ones. */
const MAX_JSON_OUTPUT = 1024 * 1024

/** For programs: an object for each host when it has ended. */
export class JsonOutput implements CommandOutput {
  readonly #write: (line: string) => void
  readonly #outputs = new Map<string, { stdout: Tail; stderr: Tail }>()
  readonly #count = { ok: 0, failed: 0, unreachable: 0 }

  constructor({ hosts, write }: Pick<CommandOutputOptions, 'hosts' | 'write'>) {
    this.#write = write
    for (const host of hosts) this.#outputs.set(host, { stdout: new Tail(), stderr: new Tail() })
  }

  receive(host: string, stream: 'stdout' | 'stderr', piece: Buffer): void {
    this.#outputs.get(host)?.[stream].push(piece)
  }

  end(end: CommandEnd): void {
    this.#count[hasFailed(end) ? 'failed' : 'ok']++
    const { stdout, stderr } = this.#outputs.get(end.host) ?? {}
    const truncated = (stdout?.truncated || stderr?.truncated) && { truncated: true }
    const texts = { stdout: stdout?.text ?? '', stderr: stderr?.text ?? '' }
    this.#write(jsonLine({ kind: 'result', ...end, ...texts, ...truncated }))
  }

  unreachable(host: string, problem: Problem): void {
    this.#count.unreachable++
    this.#write(jsonLine({ kind: 'unreachable', host, problem }))
  }

  close(ms: number): void {
    this.#write(jsonLine({ kind: 'end', hosts: [...this.#outputs.keys()], ...this.#count, ms }))
  }
}

/** The last bytes of an output. */
class Tail {
  readonly #pieces: Buffer[] = []
  #bytes = 0
  truncated = false

  push(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#bytes += piece.length
    while (this.#pieces.length > 1 && this.#bytes - (this.#pieces[0]?.length ?? 0) > MAX_JSON_OUTPUT) {
      this.#bytes -= this.#pieces.shift()?.length ?? 0
      this.truncated = true
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
