import { DefaultRenderer, Listr, type ListrTask } from 'listr2'
import { coloured, type Paint, sanitized } from '../problem.ts'
import type { Reporter } from '../reporter.ts'
import { LiveBoard } from './live-board.ts'
import { plainReporter } from './plain.ts'

/** Milliseconds between two drawings. */
const REDRAW_EVERY = 100

/** listr2 draws all rows for each change of one: changes of the same moment are drawn once. */
class CalmRenderer extends DefaultRenderer {
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
 * The survey, then each play with its hosts, as rows that change while the run goes on. What changed, once for all hosts where it is
 * the same, and what failed is told in plain lines when the rows have come to rest.
 */
export function liveReporter({
  write,
  paint,
}: {
  readonly write: (line: string) => void
  readonly paint: Paint
}): Reporter {
  const told: string[] = []
  const lines = plainReporter({ write: (line) => told.push(line), paint, verbose: false, asItHappens: false })
  const board = new LiveBoard(paint)
  const clock = new Clock()
  const { stdout } = process
  // A terminal that does not know its size says 0, and each row would be wrapped after each letter.
  if (!stdout.columns) Object.assign(stdout, { columns: 80, rows: 24 })
  let drawn: Promise<unknown> | undefined
  return {
    emit: (event) => {
      lines.emit(event)
      board.emit(event)
      if (event.kind === 'begin') drawn = tasks(board, clock).run()
    },
    done: async () => {
      board.close()
      clock.tick()
      await drawn
      clock.stop()
      await lines.done()
      for (const line of told) write(line)
    },
  }
}

function tasks(board: LiveBoard, clock: Clock) {
  const survey: ListrTask = {
    title: board.survey().title,
    task: (_context, task) =>
      clock.until(() => {
        const { title, phase } = board.survey()
        task.title = title
        return phase === 'over'
      }),
  }
  return new Listr([survey, ...board.plays.map((play) => playTask(play, board, clock))], {
    exitOnError: false,
    renderer: CalmRenderer,
    rendererOptions: { showErrorMessage: false, collapseErrors: false },
  })
}

function playTask(play: string, board: LiveBoard, clock: Clock): ListrTask {
  return {
    title: play,
    task: async (_context, task) => {
      await clock.until(() => board.play(play).phase !== 'to come')
      const { hosts } = board.play(play)
      if (hosts.length > 0) {
        const rows = hosts.map(({ host }) => hostTask(play, host, board, clock))
        return task.newListr(rows, { concurrent: true, exitOnError: false })
      }
      await clock.until(() => {
        const { title, phase } = board.play(play)
        task.title = sanitized(title, coloured)
        return phase === 'over'
      })
      return undefined
    },
  }
}

function hostTask(play: string, host: string, board: LiveBoard, clock: Clock): ListrTask {
  return {
    title: host,
    task: async (_context, task) => {
      let failed = false
      await clock.until(() => {
        const { hosts, phase } = board.play(play)
        const row = hosts.find((one) => one.host === host)
        if (row) task.title = sanitized(row.title, coloured)
        failed = row?.outcome === 'failed'
        return phase === 'over' || row?.outcome !== 'running'
      })
      if (failed) throw new Error(task.title)
    },
  }
}

/** Looks at the board from time to time, however much happens on it. */
class Clock {
  readonly #looks = new Set<() => void>()
  readonly #timer = setInterval(() => this.tick(), REDRAW_EVERY)

  until(isOver: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!isOver()) return
        this.#looks.delete(look)
        resolve()
      }
      this.#looks.add(look)
      look()
    })
  }

  tick(): void {
    for (const look of [...this.#looks]) look()
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
