import { elapsed } from '../../shell/duration.ts'
import { stepTitle } from '../format.ts'
import { type Paint, showProblem } from '../problem.ts'
import { recap } from '../recap.ts'
import { dispatch, type Handlers, type Reporter } from '../reporter.ts'
import { ChangeSummary } from './change-summary.ts'
import {
  deferredLine,
  diffLines,
  drainLine,
  handlerLine,
  recoveredLines,
  SYMBOLS,
  type Symbols,
  stepDiffs,
  stepLines,
} from './lines.ts'

export interface PlainOptions {
  readonly write: (line: string) => void
  readonly paint: Paint
  /** Also shows steps without changes. */
  readonly verbose: boolean
  /** Shows each change when it happens; otherwise only at the end, with its diff. @default true */
  readonly asItHappens?: boolean
  /** @default SYMBOLS */
  readonly symbols?: Symbols
}

/** One line per event, for pipes, logs and screen readers, and a summary of changes at the end. Equal diffs are shown once. */
export function plainReporter({
  write,
  paint,
  verbose,
  asItHappens = true,
  symbols = SYMBOLS,
}: PlainOptions): Reporter {
  let width = 4
  const style = { paint, symbols }
  const changes = new ChangeSummary(style)
  const firstHostWith = new Map<string, string>()
  const later: string[] = []
  /** Titles of the deferred steps in the current turn, by host. */
  const deferred = new Map<string, string[]>()
  const print = asItHappens ? write : (text: string) => later.push(text)
  const line = (host: string, text: string) => print(`${host.padEnd(width)} ${text}`)
  const running = (host: string, text: string) => asItHappens && line(host, paint('dim', `${symbols.running} ${text}`))
  const note = (host: string, text: string) => verbose && line(host, `${symbols.note} ${text}`)
  const showDiff = (host: string, diff: string) => {
    const first = firstHostWith.get(diff)
    if (first === undefined) firstHostWith.set(diff, host)
    const lines = first === undefined ? diffLines(diff, paint) : [paint('dim', `    the same diff as on ${first}`)]
    for (const one of lines) line(host, one)
  }
  const handlers: Handlers = {
    begin: ({ hosts, plays }) => {
      width = Math.max(width, ...hosts.map((host) => host.length))
      if (verbose) write(`${hosts.length} hosts, ${plays.length} plays`)
    },
    connected: ({ host, ms }) => note(host, `connected in ${elapsed(ms)}`),
    unreachable: ({ problem }) => print(showProblem(problem, paint)),
    refreshed: ({ host, steps, differing }) => note(host, `${steps} steps read, ${differing} differ`),
    play: ({ play }) => verbose && write(paint('bold', symbols === SYMBOLS ? `── ${play}` : `play ${play}`)),
    turn: () => {},
    applying: ({ host, steps }) => {
      if (steps.some(({ kind }) => SLOW.has(kind))) running(host, steps.map(stepTitle).join(', '))
    },
    step: (event) => {
      changes.step(event, { diffs: !asItHappens })
      if (!asItHappens) return
      if (event.outcome === 'deferred')
        deferred.set(event.host, [...(deferred.get(event.host) ?? []), stepTitle(event.step)])
      if (event.outcome === 'deferred' || (event.outcome === 'ok' && !verbose)) return
      for (const one of stepLines(event, style)) line(event.host, one)
      for (const diff of stepDiffs(event)) showDiff(event.host, diff)
    },
    handler: (event) => {
      changes.handler(event)
      if (asItHappens) line(event.host, handlerLine(event, style))
    },
    drain: (event) => {
      if (event.problem) print(showProblem(event.problem, paint))
      else line(event.host, drainLine(event, style))
    },
    recovered: (event) => {
      for (const one of recoveredLines(event, style)) line(event.host, one)
    },
    progress: ({ host, step, text }) => running(host, `${stepTitle(step)}: ${text}`),
    waiting: ({ host, for: what }) => running(host, `waiting for ${what}`),
    turnEnd: ({ host }) => {
      const titles = deferred.get(host)
      deferred.delete(host)
      if (titles) line(host, deferredLine(titles, style))
    },
    skipped: ({ play, hosts, why }) => print(`${paint('yellow', 'skipped:')} ${play} on ${hosts.join(', ')}: ${why}`),
    failed: ({ problem }) => print(showProblem(problem, paint)),
    end: ({ summary }) => {
      // With one host it would repeat the lines above.
      const lines = summary.hosts.length > 1 || !asItHappens ? changes.lines(summary) : []
      for (const one of [...lines, ...later.splice(0), recap(summary, paint)]) write(one)
    },
  }
  return {
    emit: (event) => dispatch(handlers, event),
    done: async () => {
      for (const one of later.splice(0)) write(one)
    },
  }
}

/** Kinds that may take long: their beginning is shown. */
const SLOW: ReadonlySet<string> = new Set(['package', 'transaction', 'command', 'service', 'release'])
