import { Listr, type ListrTask } from 'listr2'
import type { StepInfo } from '../model/event.ts'
import { Secret } from '../shell/secret.ts'
import { stepTitle } from './describe.ts'
import { plainReporter } from './plain.ts'
import type { Paint } from './problem.ts'
import { dispatch, type Handlers, type Reporter } from './reporter.ts'

/** At most this often are rows redrawn: listr2 draws all of them for each change of one. */
const REDRAW_EVERY = 100

/**
 * The survey, then each play with its hosts, as rows that change while the run goes on. What changed and what failed is told in
 * plain lines when the rows have come to rest.
 */
export function liveReporter({
  write,
  paint,
}: {
  readonly write: (line: string) => void
  readonly paint: Paint
}): Reporter {
  const told: string[] = []
  const lines = plainReporter({ write: (line) => told.push(line), paint, verbose: false, progress: false })
  const rows = new Map<string, Row>()
  const rowOf = (key: string): Row => rows.get(key) ?? newRow(rows, key)
  const hostRow = (play: string, host: string): Row => rowOf(`${play}\n${host}`)
  const say = (play: string, host: string, text: string) =>
    hostRow(play, host).say(`${host} ${paint('dim', text)}`)
  const survey = rowOf('')
  const read = { hosts: 0, of: 0, steps: 0, differing: 0 }
  let drawn: Promise<unknown> = Promise.resolve()

  const handlers: Handlers = {
    begin: ({ hosts, plays }) => {
      read.of = hosts.length
      survey.say(`reading ${hosts.length} hosts`)
      const tasks = [
        survey.task(),
        ...plays.map((play) => rowOf(play).task((host) => hostRow(play, host).task())),
      ]
      drawn = new Listr(tasks, {
        exitOnError: false,
        rendererOptions: { showErrorMessage: false, collapseErrors: false },
      }).run()
    },
    connected: () => {},
    unreachable: () => {},
    surveyed: ({ steps, differing }) => {
      read.hosts++
      read.steps += steps
      read.differing += differing
      survey.say(`read ${read.hosts} of ${read.of} hosts: ${read.steps} steps, ${read.differing} differ`)
    },
    play: ({ play, hosts }) => {
      survey.end()
      rowOf(play).begin(hosts)
    },
    turn: ({ play, host, steps }) => say(play, host, `${steps} steps`),
    applying: ({ play, host, steps }) => say(play, host, titleOf(steps)),
    step: ({ play, host, step }) => say(play, host, stepTitle(step)),
    handler: ({ play, host, name }) => say(play, host, name),
    bracket: ({ play, host, label, outcome }) =>
      play !== '' && say(play, host, outcome === 'left' ? `no longer ${label}` : label),
    waiting: ({ play, host, for: what }) => say(play, host, `waiting for ${what}`),
    turned: ({ play, host, changed, failed }) => {
      const words = changed > 0 ? paint('yellow', `${changed} changed`) : paint('dim', 'as wanted')
      hostRow(play, host).end({ title: `${host} ${failed ? paint('red', 'failed') : words}`, failed })
    },
    skipped: ({ play, hosts }) => {
      for (const host of hosts) hostRow(play, host).end({ title: `${host} ${paint('yellow', 'left alone')}` })
    },
    failed: () => {},
    end: () => {},
  }
  return {
    emit: (event) => {
      lines.emit(event)
      dispatch(handlers, event)
    },
    done: async () => {
      for (const row of [...rows.values()]) row.end()
      await drawn
      for (const line of told) write(line)
    },
  }
}

function titleOf(steps: readonly StepInfo[]): string {
  const last = steps.at(-1)
  return last ? `${stepTitle(last)}${steps.length > 1 ? ` and ${steps.length - 1} more` : ''}` : ''
}

// --- one row ---

interface Row {
  /** Its task for listr2. @param below makes the row of each name that it begins with */
  readonly task: (below?: (name: string) => ListrTask) => ListrTask
  readonly say: (title: string) => void
  readonly begin: (names: readonly string[]) => void
  readonly end: (last?: { readonly title: string; readonly failed?: boolean }) => void
}

function newRow(rows: Map<string, Row>, key: string): Row {
  const begun = promised<readonly string[]>()
  const ended = promised<{ readonly title?: string; readonly failed?: boolean }>()
  let title = key
  const row: Row = {
    task: (below) => ({
      title,
      task: async (_context, task) => {
        if (below)
          return task.newListr((await begun.value).map(below), { concurrent: true, exitOnError: false })
        const redraw = setInterval(() => {
          if (task.title !== title) task.title = title
        }, REDRAW_EVERY)
        const last = await ended.value
        clearInterval(redraw)
        task.title = last.title ?? title
        if (last.failed) throw new Error(task.title)
        return undefined
      },
    }),
    say: (text) => {
      title = Secret.redact(text)
    },
    begin: begun.resolve,
    end: (last) => {
      begun.resolve([])
      ended.resolve(last ?? {})
    },
  }
  rows.set(key, row)
  return row
}

function promised<T>(): { readonly value: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const value = new Promise<T>((done) => {
    resolve = done
  })
  return { value, resolve }
}
