import { DefaultRenderer, Listr, type ListrTask } from 'listr2'
import { coloured, type Paint, sanitized } from '../problem.ts'
import type { Reporter } from '../reporter.ts'
import { LiveBoard } from './live-board.ts'
import { plainReporter } from './plain.ts'

/** Milliseconds between two drawings. */
const REDRAW_EVERY = 100

/** listr2 draws all rows for each change of one; this draws changes of the same moment once. */
class ThrottledRenderer extends DefaultRenderer {
  #due: NodeJS.Timeout | undefined

  override update(): void {
    this.#due ??= setTimeout(() => {
      this.#due = undefined
      super.update()
    }, REDRAW_EVERY)
  }

  override end(): void {
    clearTimeout(this.#due)
    super.end()
  }
}

/**
 * A row for the first read and rows for each play and its hosts, updated during the run. The changes, once for all hosts where they
 * are equal, and the errors are printed after the last update.
 */
export function liveReporter({
  write,
  paint,
}: {
  readonly write: (line: string) => void
  readonly paint: Paint
}): Reporter {
  const buffered: string[] = []
  const lines = plainReporter({ write: (line) => buffered.push(line), paint, verbose: false, asItHappens: false })
  const board = new LiveBoard(paint)
  const ticker = new Ticker()
  const { stdout } = process
  // A terminal of unknown size reports 0, and each row would wrap after each letter.
  if (!stdout.columns) Object.assign(stdout, { columns: 80, rows: 24 })
  let drawn: Promise<unknown> | undefined
  return {
    emit: (event) => {
      lines.emit(event)
      board.emit(event)
      if (event.kind === 'begin') drawn = tasks(board, ticker).run()
    },
    done: async () => {
      board.close()
      ticker.tick()
      await drawn
      ticker.stop()
      await lines.done()
      for (const line of buffered) write(line)
    },
  }
}

function tasks(board: LiveBoard, ticker: Ticker) {
  const read: ListrTask = {
    title: board.readRow().title,
    task: (_context, task) =>
      ticker.until(() => {
        const { title, phase } = board.readRow()
        task.title = title
        return phase === 'finished'
      }),
  }
  return new Listr([read, ...board.plays.map((play) => playTask(play, board, ticker))], {
    exitOnError: false,
    renderer: ThrottledRenderer,
    rendererOptions: { showErrorMessage: false, collapseErrors: false },
  })
}

function playTask(play: string, board: LiveBoard, ticker: Ticker): ListrTask {
  return {
    title: play,
    task: async (_context, task) => {
      await ticker.until(() => board.play(play).phase !== 'pending')
      const { hosts } = board.play(play)
      if (hosts.length > 0) {
        const rows = hosts.map(({ host }) => hostTask(play, host, board, ticker))
        return task.newListr(rows, { concurrent: true, exitOnError: false })
      }
      await ticker.until(() => {
        const { title, phase } = board.play(play)
        task.title = sanitized(title, coloured)
        return phase === 'finished'
      })
      return undefined
    },
  }
}

function hostTask(play: string, host: string, board: LiveBoard, ticker: Ticker): ListrTask {
  return {
    title: host,
    task: async (_context, task) => {
      let failed = false
      await ticker.until(() => {
        const { hosts, phase } = board.play(play)
        const row = hosts.find((one) => one.host === host)
        if (row) task.title = sanitized(row.title, coloured)
        failed = row?.outcome === 'failed'
        return phase === 'finished' || row?.outcome !== 'running'
      })
      if (failed) throw new Error(task.title)
    },
  }
}

/** Checks conditions at a fixed interval, independent of the number of events. */
class Ticker {
  readonly #checks = new Set<() => void>()
  readonly #timer = setInterval(() => this.tick(), REDRAW_EVERY)

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!condition()) return
        this.#checks.delete(check)
        resolve()
      }
      this.#checks.add(check)
      check()
    })
  }

  tick(): void {
    for (const check of [...this.#checks]) check()
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
