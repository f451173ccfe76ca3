import { StringDecoder } from 'node:string_decoder'
import { Command, Option } from 'commander'
import { toProblem } from '../../engine/hosts/scripts.ts'
import type { Host } from '../../model/inventory/host.ts'
import { Problem } from '../../model/problem.ts'
import { jsonLine } from '../../report/json.ts'
import { paintFor } from '../../report/problem.ts'
import { byTime, type LogEntry, logEntry, logLine } from '../../report/tables/log-entry.ts'
import { type Duration, milliseconds } from '../../shell/duration.ts'
import { Secret } from '../../shell/secret.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { BecomeFailed } from '../../transport/errors.ts'
import { onInterrupt } from '../interrupt.ts'
import type { Installation } from '../load/load.ts'
import { type ReachFlags, withReachOptions } from '../options.ts'
import { connectOptions, exitCodeOfCounts, printProblems, runOnHost, selectHosts } from '../target.ts'
import { count } from '../whole.ts'

interface LogsFlags extends ReachFlags {
  readonly since?: string
  readonly until?: string
  readonly unit?: readonly string[]
  readonly lines?: number
  readonly follow: boolean
  readonly output: 'plain' | 'json'
}

/** `provision logs web --since 10m`: the journals of several hosts, as one. */
export function logsCommand(own: Installation): Command {
  return withReachOptions(new Command('logs').argument('[hosts]', 'as with --limit; all unless told'))
    .description('tell what hosts have written to their journals, merged by time')
    .option(
      '--since <time>',
      'how long ago it begins: 30s, 10m, 2h; or a time that journalctl knows; 10m unless told',
    )
    .option('--until <time>', 'where it ends, likewise')
    .option(
      '-u, --unit <name>',
      'only of this unit; may be said again',
      (one, all: readonly string[] = []) => [...all, one],
    )
    .option('-n, --lines <count>', 'the last so many of each host; 1000 unless told, 10 with -f', count)
    .option('-f, --follow', 'go on with what is written from now on, until Ctrl-C', false)
    .addOption(
      new Option('-o, --output <how>', 'how to show them').choices(['plain', 'json']).default('plain'),
    )
    .addHelpText(
      'after',
      "\nExamples:\n  provision logs web --since 10m\n  provision logs web,app --unit nginx --unit notes -f\n\nThe order is that of the hosts' clocks; times are of this machine's zone.",
    )
    .action(async (word: string | undefined, flags: LogsFlags) => {
      process.exitCode = await logs(word, flags, own)
    })
}

async function logs(word: string | undefined, flags: LogsFlags, own: Installation): Promise<number> {
  const { hosts } = await selectHosts(flags, own, word)
  const way = await connectOptions(flags)
  const { signal, done } = onInterrupt('')
  const count = { failed: 0, unreachable: 0 }
  const width = Math.max(...hosts.map(({ name }) => name.length))
  const paint = paintFor(process.stdout)
  const merged = new Merged((entry) => {
    const line = flags.output === 'json' ? jsonEntry(entry) : logLine(entry, width, paint)
    process.stdout.write(`${Secret.redact(line)}\n`)
  })
  const timer = flags.follow ? setInterval(() => merged.tick(), MERGED_EVERY) : undefined
  const script = journalctl(flags)
  const onHost = async (host: Host) => {
    try {
      const { code, words, entries } = await read(
        host,
        (hear) => runOnHost(host, way, { script, stop: signal, hear }),
        (entry) => merged.push(entry),
      )
      if (code !== 0 && !signal.aborted) {
        count.failed++
        printProblems([new Problem(`${host.name}: journalctl ended with status ${code}`, { details: words })])
      } else if (!flags.follow && entries >= (flags.lines ?? MOST))
        process.stderr.write(`${host.name}: its last ${entries} lines, perhaps there are more; see --lines\n`)
    } catch (error) {
      const problem = toProblem(error, host.name)
      if (problem instanceof BecomeFailed) count.failed++
      else count.unreachable++
      printProblems([problem])
    }
  }
  await Promise.all(hosts.map(onHost))
  clearInterval(timer)
  done()
  merged.end({ backwards: !flags.follow })
  return exitCodeOfCounts(count)
}

/** How long entries that are followed are kept back, so that those of several hosts come in order, ms. */
const MERGED_EVERY = 250

/** Entries of all hosts, told in the order of their times. */
class Merged {
  #entries: LogEntry[] = []
  /** How many of them were there at the last tick. */
  #old = 0
  readonly #write: (entry: LogEntry) => void

  constructor(write: (entry: LogEntry) => void) {
    this.#write = write
  }

  push(entry: LogEntry): void {
    this.#entries.push(entry)
  }

  /** Tells what came before the last tick, and what is older than that: it cannot be long behind. */
  tick(): void {
    const due = this.#entries.slice(0, this.#old).reduce((latest, { time }) => Math.max(latest, time), 0)
    this.#tell(this.#entries.filter(({ time }) => time <= due))
    this.#entries = this.#entries.filter(({ time }) => time > due)
    this.#old = this.#entries.length
  }

  /** Tells all that is left. @param backwards whether each host told its newest first */
  end({ backwards }: { readonly backwards: boolean }): void {
    this.#tell(backwards ? this.#entries.reverse() : this.#entries)
    this.#entries = []
  }

  #tell(entries: LogEntry[]): void {
    for (const entry of entries.sort(byTime)) this.#write(entry)
  }
}

/** Entries of one host that are shown unless told. */
const MOST = 1_000

/** From its end backwards: with --since it would take the first lines, not the last. Who follows sees what is new. */
function journalctl({ since, until, unit = [], lines, follow }: LogsFlags): Shell {
  const from = since ?? (follow ? undefined : '10m')
  const words = [
    ...(from === undefined ? [] : [`--since=${moment(from)}`]),
    ...(until === undefined ? [] : [`--until=${moment(until)}`]),
    ...unit.map((one) => `--unit=${one}`),
    ...(follow
      ? ['--follow', ...(from === undefined ? [`--lines=${lines ?? 10}`] : [])]
      : ['--reverse', `--lines=${lines ?? MOST}`]),
  ]
  return sh`journalctl --quiet --no-pager --output=json --output-fields=MESSAGE,SYSLOG_IDENTIFIER,_PID,_COMM,PRIORITY ${words}`
}

/** As journalctl says it: what is a length of time is so long ago. */
function moment(text: string): string {
  if (!/^[\d.]+(ms|s|m|h)$/.test(text)) return text
  return `-${milliseconds(text as Duration) / 1000}s`
}

type Hear = (stream: 'stdout' | 'stderr', piece: Buffer) => void

/** Follows one journal. */
async function read(
  { name }: Host,
  attended: (hear: Hear) => Promise<{ readonly code: number }>,
  push: (entry: LogEntry) => void,
): Promise<{ readonly code: number; readonly words: readonly string[]; readonly entries: number }> {
  const decoder = new StringDecoder()
  let partial = ''
  let words = ''
  let entries = 0
  const { code } = await attended((stream, piece) => {
    if (stream === 'stderr') {
      words += piece.toString()
      return
    }
    const lines = (partial + decoder.write(piece)).split('\n')
    partial = lines.pop() ?? ''
    for (const entry of lines.flatMap((line) => logEntry(name, line) ?? [])) {
      entries++
      push(entry)
    }
  })
  return { code, words: words.trim().split('\n').filter(Boolean).slice(-5), entries }
}

function jsonEntry({ host, time, who, message, priority }: LogEntry): string {
  return jsonLine({ kind: 'log', host, time: new Date(time / 1000).toISOString(), who, priority, message })
}
