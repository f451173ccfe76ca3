import { randomInt } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunEvent } from '../../model/event.ts'
import type { Inventory } from '../../model/inventory/inventory.ts'
import { Problem } from '../../model/problem.ts'
import { type RecordedRun, recordedRun } from '../../report/journal/history.ts'
import { journalWriter } from '../../report/journal/journal.ts'
import { didYouMean } from '../../shell/nearest.ts'
import { errno } from '../../transport/errors.ts'

/** In the working directory. */
const ROOT = '.provision'

/** A directory of journals: of runs, or of `provision drift`, so that frequent drift reports do not displace the runs. */
export type RecordDirectory = 'runs' | 'drift'

const FILE_NAME = /^(\d{8}-\d{6}-[0-9a-f]{4})\.jsonl$/
/** The number of runs to keep; the oldest are deleted. */
const KEEP = 50
/** The interval between writes, in ms. Writing each one would slow down runs of many hosts. */
const FLUSH_INTERVAL = 100

export interface Journal {
  readonly emit: (event: RunEvent) => void
  /** Writes the remaining lines. */
  readonly close: () => void
}

/** Records a run from its first event on. If the file cannot be written, the run continues. */
export function createJournal(
  command: string,
  { hosts }: Pick<Inventory, 'hosts'>,
  directory: RecordDirectory = 'runs',
): Journal {
  let file: JournalFile | undefined
  let emit: ((event: RunEvent) => void) | undefined
  return {
    emit: (event) => {
      if (!emit) {
        const at = new Date().toISOString()
        const id = newId(at)
        const about = hosts.map(({ name, group, address }) => ({ name, group, address }))
        file = new JournalFile(id, directory)
        emit = journalWriter({ id, at, command, hosts: about }, file.add)
      }
      emit(event)
    },
    close: () => file?.close(),
  }
}

/** IDs sort by time; the last digit is random, for runs that start in the same millisecond. */
function newId(at: string): string {
  const [day = '', time = '', ms = ''] = at.replace(/[-:Z]/g, '').split(/[T.]/)
  return `${day}-${time}-${ms}${randomInt(16).toString(16)}`
}

/** Buffers lines and writes them. */
class JournalFile {
  readonly #file: number | undefined
  readonly #directory: RecordDirectory
  readonly #timer = setInterval(() => this.#write(), FLUSH_INTERVAL).unref()
  #buffer = ''
  #failed = false

  constructor(id: string, directory: RecordDirectory) {
    this.#directory = directory
    this.#file = this.#attempt(() => createFile(id, directory))
  }

  readonly add = (line: string): void => {
    if (!this.#failed) this.#buffer += `${line}\n`
  }

  close(): void {
    clearInterval(this.#timer)
    this.#write()
    const file = this.#file
    if (file !== undefined) this.#attempt(() => closeSync(file))
  }

  #write(): void {
    const [file, text] = [this.#file, this.#buffer]
    this.#buffer = ''
    if (file !== undefined && text !== '') this.#attempt(() => writeFileSync(file, text))
  }

  #attempt<T>(body: () => T): T | undefined {
    if (this.#failed) return undefined
    try {
      return body()
    } catch (error) {
      this.#failed = true
      process.stderr.write(
        `warning: cannot write ${ROOT}/${this.#directory}: ${errno(error)}. The record of this run is incomplete.\n`,
      )
      return undefined
    }
  }
}

function createFile(id: string, directory: RecordDirectory): number {
  mkdirSync(join(ROOT, directory), { recursive: true, mode: 0o700 })
  for (const old of listRuns(directory).slice(KEEP - 1)) rmSync(pathOf(old, directory), { force: true })
  return openSync(pathOf(id, directory), 'wx', 0o600)
}

/** The IDs of the recorded runs, the latest first. */
export function listRuns(directory: RecordDirectory = 'runs'): readonly string[] {
  try {
    return readdirSync(join(ROOT, directory))
      .flatMap((name) => FILE_NAME.exec(name)?.[1] ?? [])
      .sort()
      .reverse()
  } catch (error) {
    if (errno(error) === 'ENOENT') return []
    throw new Problem(`Cannot read ${ROOT}/${directory}: ${errno(error)}`, {
      next: 'It must be a directory of your own. Move the file away; the next run creates the directory.',
    })
  }
}

function pathOf(id: string, directory: RecordDirectory = 'runs'): string {
  return join(ROOT, directory, `${id}.jsonl`)
}

/** The text of a journal. @param wanted an ID, its start or its end, or the path of a journal @default the last run */
export function readJournal(wanted?: string): string {
  const path = wanted?.endsWith('.jsonl') ? wanted : pathOf(findRun(wanted))
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Problem(`Cannot read the journal ${path}: ${errno(error)}`, { next: LIST_HINT })
  }
}

/** The recorded runs, the latest first. Files that are no journals are left out, with a warning. */
export function recordedRuns(directory: RecordDirectory = 'runs'): readonly RecordedRun[] {
  return listRuns(directory).flatMap((id) => {
    try {
      return [recordedRun(readJournal(pathOf(id, directory)))]
    } catch (error) {
      process.stderr.write(
        `warning: cannot read the journal ${id}: ${error instanceof Error ? error.message : error}\n`,
      )
      return []
    }
  })
}

export const LIST_HINT = 'To list the runs: provision report --list'

function findRun(wanted: string | undefined): string {
  const all = listRuns()
  const [last] = all
  if (last === undefined)
    throw new Problem('No run is recorded', {
      next: `Runs started in this directory are recorded in ${ROOT}/runs. For other journals, specify the path.`,
    })
  if (wanted === undefined) return last
  const matching = all.filter((id) => id.startsWith(wanted) || id.endsWith(wanted))
  const [first, second] = matching
  if (first === undefined)
    throw new Problem(`There is no run ${wanted}`, {
      next: [didYouMean(wanted, all), LIST_HINT].filter((part) => part).join(' '),
    })
  if (second === undefined) return first
  throw new Problem(`${wanted} matches ${matching.slice(0, 5).join(' and ')}`, { next: LIST_HINT })
}
