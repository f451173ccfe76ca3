import { elapsed } from '../text/duration.ts'
import { describeDifference, stepTitle } from './describe.ts'
import { type Paint, showProblem } from './problem.ts'
import { recap } from './recap.ts'
import { dispatch, type Handlers, type Reporter } from './reporter.ts'
import { unifiedDiffs } from './texts.ts'

export interface PlainOptions {
  readonly write: (line: string) => void
  readonly paint: Paint
  /** Tells of steps that change nothing, too. */
  readonly verbose: boolean
}

/** One line an event, for pipes, logs and screen readers. */
export function plainReporter({ write, paint, verbose }: PlainOptions): Reporter {
  const line = (host: string, mark: string, text: string) => write(`${host.padEnd(width)} ${mark} ${text}`)
  let width = 8
  const handlers: Handlers = {
    begin: ({ hosts, mode, plays }) => {
      width = Math.max(4, ...hosts.map((host) => host.length))
      if (verbose)
        write(`${mode === 'check' ? 'check' : 'run'}: ${hosts.length} hosts, ${plays.length} plays`)
    },
    connected: ({ host, ms }) => verbose && line(host, '·', `connected in ${elapsed(ms)}`),
    unreachable: ({ problem }) => write(showProblem(problem, paint)),
    surveyed: ({ host, steps, differing }) =>
      verbose && line(host, '·', `${steps} steps read, ${differing} differ`),
    play: ({ play }) => verbose && write(paint('bold', `── ${play}`)),
    turn: () => {},
    applying: ({ host, steps }) => {
      const [first] = steps
      if (first && steps.some(({ kind }) => SLOW.has(kind)))
        line(host, paint('dim', '…'), paint('dim', steps.map(stepTitle).join(', ')))
    },
    step: (event) => {
      const { host, step } = event
      const title = stepTitle(step)
      const role = step.roles.length > 0 ? paint('dim', ` [${step.roles.join(' › ')}]`) : ''
      if (event.outcome === 'ok') {
        if (verbose) line(host, paint('dim', '='), paint('dim', title))
      } else if (event.outcome === 'failed') {
        line(host, paint('red', '✗'), `${title}${role}`)
      } else {
        const mark = event.outcome === 'planned' ? paint('yellow', '~') : paint('yellow', '✓')
        line(host, mark, `${title}${role}: ${describeDifference(event.difference)}`)
        if (event.before)
          for (const diff of unifiedDiffs(event.difference, event.before))
            write(indented(colouredDiff(diff, paint)))
      }
    },
    handler: ({ host, name, outcome, owed }) => {
      const mark =
        outcome === 'failed'
          ? paint('red', '✗')
          : outcome === 'planned'
            ? paint('yellow', '~')
            : paint('yellow', '✓')
      line(host, mark, `handler ${name}${owed ? ' (owed since an earlier run)' : ''}`)
    },
    waiting: ({ host, for: what }) => line(host, paint('dim', '…'), paint('dim', `waiting for ${what}`)),
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

function indented(text: string): string {
  return text
    .split('\n')
    .map((one) => `    ${one}`)
    .join('\n')
}

function colouredDiff(diff: string, paint: Paint): string {
  return diff
    .split('\n')
    .map((one) =>
      one.startsWith('+')
        ? paint('green', one)
        : one.startsWith('-')
          ? paint('red', one)
          : one.startsWith('@@')
            ? paint('cyan', one)
            : one,
    )
    .join('\n')
}
