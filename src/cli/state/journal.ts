import { randomInt } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunEvent } from '../../model/event.ts'
import type { Inventory } from '../../model/inventory/inventory.ts'
import { Problem } from '../../model/problem.ts'
import { journalWriter } from '../../report/journal/journal.ts'
import { didYouMean } from '../../shell/nearest.ts'
import { errno } from '../../transport/errors.ts'

/** Below the folder that the command is given in. */
const FOLDER = '.provision/runs'
const OURS = /^(\d{8}-\d{6}-[0-9a-f]{4})\.jsonl$/
/** So many runs are kept; the oldest go. */
const KEPT = 50
/** Lines are put on the disk this often, ms: one by one they would slow down a run of many hosts. */
const EVERY = 100

export interface Journal {
  readonly emit: (event: RunEvent) => void
  /** Writes what is left. */
  readonly close: () => void
}

/** Begins the journal of a run with its first event. That it cannot be written must not stop the run. */
export function createJournal(command: string, { hosts }: Pick<Inventory, 'hosts'>): Journal {
  let file: JournalFile | undefined
  let emit: ((event: RunEvent) => void) | undefined
  return {
    emit: (event) => {
      if (!emit) {
        const at = new Date().toISOString()
        const id = idOf(at)
        const about = hosts.map(({ name, group, address }) => ({ name, group, address }))
        file = new JournalFile(id)
        emit = journalWriter({ id, at, command, hosts: about }, file.add)
      }
      emit(event)
    },
    close: () => file?.close(),
  }
}

/** Sorted by name, runs are in the order of their beginnings; the last sign keeps two of one moment apart. */
function idOf(at: string): string {
  const [day = '', time = '', ms = ''] = at.replace(/[-:Z]/g, '').split(/[T.]/)
  return `${day}-${time}-${ms}${randomInt(16).toString(16)}`
}

/** Lines on their way to the disk. */
class JournalFile {
  readonly #file: number | undefined
  readonly #timer = setInterval(() => this.#write(), EVERY).unref()
  #waiting = ''
  #broken = false

  constructor(id: string) {
    this.#file = this.#attempt(() => begin(id))
  }

  readonly add = (line: string): void => {
    if (!this.#broken) this.#waiting += `${line}\n`
  }

  close(): void {
    clearInterval(this.#timer)
    this.#write()
    const file = this.#file
    if (file !== undefined) this.#attempt(() => closeSync(file))
  }

  #write(): void {
    const [file, text] = [this.#file, this.#waiting]
    this.#waiting = ''
    if (file !== undefined && text !== '') this.#attempt(() => writeFileSync(file, text))
  }

  #attempt<T>(body: () => T): T | undefined {
    if (this.#broken) return undefined
    try {
      return body()
    } catch (error) {
      this.#broken = true
      process.stderr.write(
        `warning: ${FOLDER} cannot be written, so provision report will not know all of this run: ${errno(error)}\n`,
      )
      return undefined
    }
  }
}

function begin(id: string): number {
  mkdirSync(FOLDER, { recursive: true, mode: 0o700 })
  for (const old of listRuns().slice(KEPT - 1)) rmSync(pathOf(old), { force: true })
  return openSync(pathOf(id), 'wx', 0o600)
}

/** The runs that there are, the last one first. */
export function listRuns(): readonly string[] {
  try {
    return readdirSync(FOLDER)
      .flatMap((name) => OURS.exec(name)?.[1] ?? [])
      .sort()
      .reverse()
  } catch (error) {
    if (errno(error) === 'ENOENT') return []
    throw new Problem(`${FOLDER} cannot be read: ${errno(error)}`, {
      next: 'It should be a folder of your own. Move away what is there: the next run makes it.',
    })
  }
}

function pathOf(id: string): string {
  return join(FOLDER, `${id}.jsonl`)
}

/** The text of a run's journal. @param wanted its id, the beginning or the end of it, or the path of a journal; the last run otherwise */
export function readJournal(wanted?: string): string {
  const path = wanted?.endsWith('.jsonl') ? wanted : pathOf(found(wanted))
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Problem(`The journal ${path} cannot be read: ${errno(error)}`, { next: LIST_HINT })
  }
}

export const LIST_HINT = 'See which runs there are: provision report --list'

function found(wanted: string | undefined): string {
  const all = listRuns()
  const [last] = all
  if (last === undefined)
    throw new Problem('No run was written down yet', {
      next: `Runs that are begun in this folder are kept in ${FOLDER}; give another's journal by its path.`,
    })
  if (wanted === undefined) return last
  const fitting = all.filter((id) => id.startsWith(wanted) || id.endsWith(wanted))
  const [one, second] = fitting
  if (one !== undefined && second === undefined) return one
  throw new Problem(
    one === undefined ? `There is no run ${wanted}` : `${wanted} may be ${fitting.slice(0, 5).join(' or ')}`,
    {
      next: [one === undefined && didYouMean(wanted, all), `${LIST_HINT}.`].filter((part) => part).join(' '),
    },
  )
}
