import { elapsed } from '../../text/duration.ts'
import { stepTitle } from '../describe.ts'
import { type Paint, showProblem } from '../problem.ts'
import { recap } from '../recap.ts'
import { dispatch, type Handlers, type Reporter } from '../reporter.ts'
import { SYMBOLS, type Symbols } from '../symbols.ts'
import { ChangeSummary } from './change-summary.ts'
import { diffLines, drainLine, handlerLine, openLine, recoveredLines, stepDiffs, stepLines } from './lines.ts'

export interface PlainOptions {
  readonly write: (line: string) => void
  readonly paint: Paint
  /** Tells of steps that change nothing, too. */
  readonly verbose: boolean
  /** Whether a change is told when it happens, not at the end alone; there it is told with its diff then. @default true */
  readonly asItHappens?: boolean
  /** @default those for eyes */
  readonly symbols?: Symbols
}

/** One line an event, for pipes, logs and screen readers; at the end, what has changed where. Equal diffs are shown once. */
export function plainReporter({
  write,
  paint,
  verbose,
  asItHappens = true,
  symbols = SYMBOLS,
}: PlainOptions): Reporter {
  let width = 4
  const look = { paint, symbols }
  const digest = new ChangeSummary(look)
  const firstWith = new Map<string, string>()
  const later: string[] = []
  /** By host: the steps of its turn that are already in place, and that a run reads again. */
  const open = new Map<string, string[]>()
  const tell = asItHappens ? write : (text: string) => later.push(text)
  const line = (host: string, text: string) => tell(`${host.padEnd(width)} ${text}`)
  const begun = (host: string, text: string) =>
    asItHappens && line(host, paint('dim', `${symbols.begun} ${text}`))
  const note = (host: string, text: string) => verbose && line(host, `${symbols.note} ${text}`)
  const showDiff = (host: string, diff: string) => {
    const first = firstWith.get(diff)
    if (first === undefined) firstWith.set(diff, host)
    const lines =
      first === undefined ? diffLines(diff, paint) : [paint('dim', `    the same diff as on ${first}`)]
    for (const one of lines) line(host, one)
  }
  const handlers: Handlers = {
    begin: ({ hosts, plays }) => {
      width = Math.max(width, ...hosts.map((host) => host.length))
      if (verbose) write(`${hosts.length} hosts, ${plays.length} plays`)
    },
    connected: ({ host, ms }) => note(host, `connected in ${elapsed(ms)}`),
    unreachable: ({ problem }) => tell(showProblem(problem, paint)),
    surveyed: ({ host, steps, differing }) => note(host, `${steps} steps read, ${differing} differ`),
    play: ({ play }) => verbose && write(paint('bold', symbols === SYMBOLS ? `── ${play}` : `play ${play}`)),
    turn: () => {},
    applying: ({ host, steps }) => {
      if (steps.some(({ kind }) => SLOW.has(kind))) begun(host, steps.map(stepTitle).join(', '))
    },
    step: (event) => {
      digest.step(event, { diffs: !asItHappens })
      if (!asItHappens) return
      if (event.outcome === 'open')
        open.set(event.host, [...(open.get(event.host) ?? []), stepTitle(event.step)])
      if (event.outcome === 'open' || (event.outcome === 'ok' && !verbose)) return
      for (const one of stepLines(event, look)) line(event.host, one)
      for (const diff of stepDiffs(event)) showDiff(event.host, diff)
    },
    handler: (event) => {
      digest.handler(event)
      if (asItHappens) line(event.host, handlerLine(event, look))
    },
    bracket: (event) => {
      if (event.problem) tell(showProblem(event.problem, paint))
      else line(event.host, drainLine(event, look))
    },
    recovered: (event) => {
      for (const one of recoveredLines(event, look)) line(event.host, one)
    },
    progress: ({ host, step, text }) => begun(host, `${stepTitle(step)}: ${text}`),
    waiting: ({ host, for: what }) => begun(host, `waiting for ${what}`),
    turned: ({ host }) => {
      const titles = open.get(host)
      open.delete(host)
      if (titles) line(host, openLine(titles, look))
    },
    skipped: ({ play, hosts, why }) =>
      tell(`${paint('yellow', 'skipped:')} ${play} on ${hosts.join(', ')}, since ${why}`),
    failed: ({ problem }) => tell(showProblem(problem, paint)),
    end: ({ summary }) => {
      // With one host it would be the lines above once more.
      const changes = summary.hosts.length > 1 || !asItHappens ? digest.lines(summary) : []
      for (const one of [...changes, ...later.splice(0), recap(summary, paint)]) write(one)
    },
  }
  return {
    emit: (event) => dispatch(handlers, event),
    done: async () => {
      for (const one of later.splice(0)) write(one)
    },
  }
}

/** Kinds that may take their time, and are told of when they begin. */
const SLOW: ReadonlySet<string> = new Set(['package', 'transaction', 'command', 'service', 'release'])
