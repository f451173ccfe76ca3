import { Listr, type ListrTaskWrapper } from 'listr2'
import type { StepInfo } from '../model/event.ts'
import { stepTitle } from './describe.ts'
import { plainReporter } from './plain.ts'
import type { Paint } from './problem.ts'
import { dispatch, type Handlers, type Reporter } from './reporter.ts'

/** At most this often are rows redrawn: listr2 draws all of them for each change of one. */
const REDRAW_EVERY = 100

type Row = ListrTaskWrapper<unknown, never, never>

/**
 * Plays and their hosts as rows that change while the run goes on. What changed and what failed is told in plain lines when the rows
 * have come to rest.
 */
export function liveReporter({
  write,
  paint,
  verbose,
}: {
  readonly write: (line: string) => void
  readonly paint: Paint
  readonly verbose: boolean
}): Reporter {
  const told: string[] = []
  const lines = plainReporter({ write: (line) => told.push(line), paint, verbose })
  const plays = new Map<string, Promised<readonly string[]>>()
  const turns = new Map<string, Promised<string>>()
  const rows = new Map<string, Row>()
  const titles = new Map<string, string>()
  const redraw = setInterval(flush, REDRAW_EVERY)
  let drawn: Promise<unknown> = Promise.resolve()

  function flush(): void {
    for (const [key, title] of titles) {
      const row = rows.get(key)
      if (row) row.title = title
    }
    titles.clear()
  }

  function say(play: string, host: string, text: string): void {
    titles.set(turn(play, host), `${host} ${paint('dim', text)}`)
  }

  const handlers: Handlers = {
    begin: ({ plays: labels }) => {
      for (const label of labels) plays.set(label, promised())
      const tasks = labels.map((label) => ({
        title: label,
        task: async (_context: unknown, task: ListrTaskWrapper<unknown, never, never>) => {
          const hosts = (await plays.get(label)?.value) ?? []
          if (hosts.length === 0) return task.skip(label)
          return task.newListr(
            hosts.map((host) => ({
              title: host,
              task: async (_inner: unknown, row: Row) => {
                rows.set(turn(label, host), row)
                row.title = (await turns.get(turn(label, host))?.value) ?? host
                if (row.title.includes(FAILED)) throw new Error(row.title)
              },
            })),
            { concurrent: true, exitOnError: false },
          )
        },
      }))
      drawn = new Listr(tasks as never, {
        exitOnError: false,
        rendererOptions: { collapseErrors: false, showErrorMessage: false } as never,
      })
        .run()
        .catch(() => {})
    },
    connected: () => {},
    unreachable: () => {},
    surveyed: () => {},
    play: ({ play, hosts }) => {
      for (const host of hosts) turns.set(turn(play, host), promised())
      plays.get(play)?.resolve(hosts)
    },
    turn: ({ play, host, steps }) => say(play, host, `${steps} steps`),
    applying: ({ play, host, steps }) => say(play, host, titleOf(steps)),
    step: ({ play, host, step }) => say(play, host, stepTitle(step)),
    handler: ({ play, host, name }) => say(play, host, name),
    waiting: ({ play, host, for: what }) => say(play, host, `waiting for ${what}`),
    turned: ({ play, host, changed, failed }) => {
      const words = failed
        ? paint('red', FAILED)
        : changed > 0
          ? paint('yellow', `${changed} changed`)
          : paint('dim', 'as wanted')
      titles.delete(turn(play, host))
      turns.get(turn(play, host))?.resolve(`${host} ${words}`)
    },
    skipped: ({ play, hosts }) => {
      for (const host of hosts)
        turns.get(turn(play, host))?.resolve(`${host} ${paint('yellow', 'left alone')}`)
    },
    failed: () => {},
    end: () => {
      for (const one of plays.values()) one.resolve([])
      for (const one of turns.values()) one.resolve('')
    },
  }
  return {
    emit: (event) => {
      lines.emit(event)
      dispatch(handlers, event)
    },
    done: async () => {
      for (const one of plays.values()) one.resolve([])
      await drawn
      clearInterval(redraw)
      for (const line of told) write(line)
    },
  }
}

const FAILED = 'failed'

function titleOf(steps: readonly StepInfo[]): string {
  const last = steps.at(-1)
  return last ? `${stepTitle(last)}${steps.length > 1 ? ` and ${steps.length - 1} more` : ''}` : ''
}

function turn(play: string, host: string): string {
  return `${play}\n${host}`
}

interface Promised<T> {
  readonly value: Promise<T>
  readonly resolve: (value: T) => void
}

function promised<T>(): Promised<T> {
  let resolve: (value: T) => void = () => {}
  const value = new Promise<T>((done) => {
    resolve = done
  })
  return { value, resolve }
}
