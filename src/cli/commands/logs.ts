import { StringDecoder } from 'node:string_decoder'
import { Command, Option } from 'commander'
import { toProblem } from '../../engine/hosts/scripts.ts'
import type { Host } from '../../model/inventory/host.ts'
import { Problem } from '../../model/problem.ts'
import { paintFor } from '../../report/problem.ts'
import { jsonLine } from '../../report/reporter.ts'
import { byTime, type LogEntry, logEntry, logLine } from '../../report/tables/log-entry.ts'
import type { Duration } from '../../shell/duration.ts'
import { milliseconds } from '../../shell/duration.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { BecomeFailed } from '../../transport/errors.ts'
import { exitCodeOfCounts, onInterrupt } from '../exit.ts'
import type { Installation } from '../load/paths.ts'
import {
  type OutputFlags,
  count as parseCount,
  type ReachFlags,
  repeated,
  withOutputOption,
  withReachOptions,
} from '../options.ts'
import { printLines, printProblems } from '../print.ts'
import { connectOptions, runOnHost, selectHosts } from '../target.ts'

interface LogsFlags extends ReachFlags, OutputFlags {
  readonly since?: string
  readonly until?: string
  readonly unit?: readonly string[]
  readonly lines?: number
  /** The same as `lines`. */
  readonly tail?: number
  readonly follow: boolean
}

/** `provision logs web --since 10m`: the journals of several hosts, merged. */
export function logsCommand(installation: Installation): Command {
  const command = new Command('logs').argument('[hosts]', 'hosts or groups, as with --limit; default: all')
  return withOutputOption(withReachOptions(command))
    .description('show the system journals of hosts, merged by time')
    .optionsGroup('Entries:')
    .option('--since <time>', 'start: 30s, 10m or 2h ago, or a time in the format of journalctl; default: 10m')
    .option('--until <time>', 'end, in the same format')
    .option('-u, --unit <name>', 'only entries of this unit; repeatable', repeated)
    .option('-n, --lines <count>', 'the last entries of each host; default: 1000, with -f 10', parseCount)
    .addOption(new Option('--tail <count>').argParser(parseCount).hideHelp())
    .option('-f, --follow', 'show new entries until Ctrl-C', false)
    .addHelpText(
      'after',
      "\nExamples:\n  provision logs web --since 10m\n  provision logs web,app --unit nginx --unit shop -f\n\nEntries are sorted by the hosts' clocks and shown in the local time zone.",
    )
    .action(async (hosts: string | undefined, flags: LogsFlags) => {
      process.exitCode = await logs(hosts, flags, installation)
    })
}

async function logs(argument: string | undefined, flags: LogsFlags, installation: Installation) {
  const { hosts } = await selectHosts(flags, installation, argument)
  const connect = await connectOptions(flags)
  const { signal, done } = onInterrupt('')
  const count = { failed: 0, unreachable: 0 }
  const width = Math.max(...hosts.map(({ name }) => name.length))
  const paint = paintFor(process.stdout)
  const { follow, lines = flags.tail } = flags
  const merged = new MergedLog((entry) =>
    printLines([flags.output === 'json' ? jsonEntry(entry) : logLine(entry, width, paint)]),
  )
  const timer = follow ? setInterval(() => merged.tick(), MERGE_INTERVAL) : undefined
  const script = journalctl({ ...flags, ...(lines !== undefined && { lines }) })
  const onHost = async (host: Host) => {
    try {
      const { code, errors, entries } = await readJournal(
        host,
        (hear) => runOnHost(host, connect, { script, stop: signal, onOutput: hear }),
        (entry) => merged.push(entry),
      )
      if (code !== 0 && !signal.aborted) {
        count.failed++
        printProblems(new Problem(`${host.name}: journalctl exited with status ${code}`, { details: errors }))
      } else if (!follow && entries >= (lines ?? DEFAULT_LINES))
        process.stderr.write(`${host.name}: only the last ${entries} entries are shown; see --lines\n`)
    } catch (error) {
      const problem = toProblem(error, host.name)
      count[problem instanceof BecomeFailed ? 'failed' : 'unreachable']++
      printProblems(problem)
    }
  }
  await Promise.all(hosts.map(onHost))
  clearInterval(timer)
  done()
  merged.end({ reversed: !follow })
  return exitCodeOfCounts(count)
}

/** The delay in ms in which followed entries of several hosts are sorted. */
const MERGE_INTERVAL = 250

/** Sorts the entries of several hosts by time. */
class MergedLog {
  #entries: LogEntry[] = []
  /** The number of entries that were there at the last tick. */
  #old = 0
  readonly #write: (entry: LogEntry) => void

  constructor(write: (entry: LogEntry) => void) {
    this.#write = write
  }

  push(entry: LogEntry): void {
    this.#entries.push(entry)
  }

  /** Writes the entries received before the last tick, and all older ones. */
  tick(): void {
    const due = this.#entries.slice(0, this.#old).reduce((latest, { time }) => Math.max(latest, time), 0)
    this.#writeSorted(this.#entries.filter(({ time }) => time <= due))
    this.#entries = this.#entries.filter(({ time }) => time > due)
    this.#old = this.#entries.length
  }

  /** Writes all entries that are left. @param reversed true if each host sent its newest entry first */
  end({ reversed }: { readonly reversed: boolean }): void {
    this.#writeSorted(reversed ? this.#entries.reverse() : this.#entries)
    this.#entries = []
  }

  #writeSorted(entries: LogEntry[]): void {
    for (const entry of entries.sort(byTime)) this.#write(entry)
  }
}

const DEFAULT_LINES = 1_000

/** In reverse: with --since, `--lines` alone returns the first entries instead of the last. */
function journalctl({ since, until, unit = [], lines, follow }: LogsFlags): Shell {
  const from = since ?? (follow ? undefined : '10m')
  const options = [
    ...(from === undefined ? [] : [`--since=${timeOf(from)}`]),
    ...(until === undefined ? [] : [`--until=${timeOf(until)}`]),
    ...unit.map((one) => `--unit=${one}`),
    ...(follow
      ? ['--follow', ...(from === undefined ? [`--lines=${lines ?? 10}`] : [])]
      : ['--reverse', `--lines=${lines ?? DEFAULT_LINES}`]),
  ]
  return sh`journalctl --quiet --no-pager --output=json --output-fields=MESSAGE,SYSLOG_IDENTIFIER,_PID,_COMM,PRIORITY ${options}`
}

/** Converts a duration to a relative time of journalctl; other texts are left to journalctl. */
function timeOf(text: string): string {
  if (!/^[\d.]+(ms|s|m|h)$/.test(text)) return text
  return `-${milliseconds(text as Duration) / 1000}s`
}

type Hear = (stream: 'stdout' | 'stderr', piece: Buffer) => void

async function readJournal(
  { name }: Host,
  run: (hear: Hear) => Promise<{ readonly code: number }>,
  push: (entry: LogEntry) => void,
): Promise<{ readonly code: number; readonly errors: readonly string[]; readonly entries: number }> {
  const decoder = new StringDecoder()
  let partial = ''
  let errors = ''
  let entries = 0
  const { code } = await run((stream, piece) => {
    if (stream === 'stderr') {
      errors += piece.toString()
      return
    }
    const lines = (partial + decoder.write(piece)).split('\n')
    partial = lines.pop() ?? ''
    for (const entry of lines.flatMap((line) => logEntry(name, line) ?? [])) {
      entries++
      push(entry)
    }
  })
  return { code, errors: errors.trim().split('\n').filter(Boolean).slice(-5), entries }
}

function jsonEntry({ host, time, who, message, priority }: LogEntry): string {
  return jsonLine({ kind: 'log', host, time: new Date(time / 1000).toISOString(), who, priority, message })
}
