import { elapsed } from '../text/duration.ts'
import { stepTitle } from './describe.ts'
import { bracketLine, handlerLine, recoveredLines, stepLines } from './lines.ts'
import { type Paint, showProblem } from './problem.ts'
import { recap } from './recap.ts'
import { dispatch, type Handlers, type Reporter } from './reporter.ts'

export interface PlainOptions {
  readonly write: (line: string) => void
  readonly paint: Paint
  /** Tells of steps that change nothing, too. */
  readonly verbose: boolean
  /** Tells what is begun, when it may take its time. @default true */
  readonly progress?: boolean
}

/** One line an event, for pipes, logs and screen readers. */
export function plainReporter({ write, paint, verbose, progress = true }: PlainOptions): Reporter {
  let width = 4
  const line = (host: string, text: string) => write(`${host.padEnd(width)} ${text}`)
  const begun = (host: string, text: string) => progress && line(host, paint('dim', `… ${text}`))
  const handlers: Handlers = {
    begin: ({ hosts, plays }) => {
      width = Math.max(width, ...hosts.map((host) => host.length))
      if (verbose) write(`${hosts.length} hosts, ${plays.length} plays`)
    },
    connected: ({ host, ms }) => verbose && line(host, `· connected in ${elapsed(ms)}`),
    unreachable: ({ problem }) => write(showProblem(problem, paint)),
    surveyed: ({ host, steps, differing }) =>
      verbose && line(host, `· ${steps} steps read, ${differing} differ`),
    play: ({ play }) => verbose && write(paint('bold', `── ${play}`)),
    turn: () => {},
    applying: ({ host, steps }) => {
      if (steps.some(({ kind }) => SLOW.has(kind))) begun(host, steps.map(stepTitle).join(', '))
    },
    step: (event) => {
      if (!['ok', 'open'].includes(event.outcome) || verbose)
        for (const one of stepLines(event, paint)) line(event.host, one)
    },
    handler: (event) => line(event.host, handlerLine(event, paint)),
    bracket: (event) => {
      if (event.problem) write(showProblem(event.problem, paint))
      else line(event.host, bracketLine(event, paint))
    },
    recovered: (event) => {
      for (const one of recoveredLines(event, paint)) line(event.host, one)
    },
    progress: ({ host, step, text }) => begun(host, `${stepTitle(step)}: ${text}`),
    waiting: ({ host, for: what }) => begun(host, `waiting for ${what}`),
    turned: () => {},
    skipped: ({ play, hosts, why }) =>
      write(`${paint('yellow', 'skipped:')} ${play} on ${hosts.join(', ')}, since ${why}`),
    failed: ({ problem }) => write(showProblem(problem, paint)),
    end: ({ summary }) => write(recap(summary, paint)),
  }
  return { emit: (event) => dispatch(handlers, event), done: async () => {} }
}

/** Kinds that may take their time, and are told of when they begin. */
const SLOW: ReadonlySet<string> = new Set(['package', 'transaction', 'command', 'service', 'release'])
