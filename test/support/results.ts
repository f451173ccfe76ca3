import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The result of one test or measurement. */
export interface Result {
  /** The title of its suite, or the name of a program. */
  readonly suite: string
  readonly name: string
  readonly outcome: 'passed' | 'failed' | 'left out'
  readonly seconds: number
  /** The measured value, or the reason of the failure. */
  readonly said?: string
}

/** A measurement that the next nightly run compares with its own. */
export interface Figure {
  readonly name: string
  readonly unit: string
  readonly median: number
  readonly least: number
  readonly most: number
  readonly runs: number
  /** The median of the lower bound, measured alternately: the machine is not equally fast every night. */
  readonly floor?: number
}

/** The folder for the results of a program; undefined if they are not collected. */
export const RESULTS = process.env['RESULTS']

const NAMES = { results: 'results.jsonl', figures: 'figures.jsonl' } as const

/** Writes at once, so that a killed program keeps its results so far. */
export function record(result: Result): void {
  append(NAMES.results, result)
}

export function recordFigure(figure: Figure): void {
  append(NAMES.figures, figure)
}

/** Copies the journals of runs from a folder that is about to be removed. */
export function keepRuns(folder: string): void {
  const runs = join(folder, '.provision/runs')
  if (RESULTS !== undefined && existsSync(runs)) cpSync(runs, join(RESULTS, 'runs'), { recursive: true })
}

export function resultsIn(folder: string): readonly Result[] {
  return lines<Result>(join(folder, NAMES.results))
}

export function figuresIn(folder: string): readonly Figure[] {
  return lines<Figure>(join(folder, NAMES.figures))
}

function append(name: string, value: object): void {
  if (RESULTS === undefined) return
  mkdirSync(RESULTS, { recursive: true })
  appendFileSync(join(RESULTS, name), `${JSON.stringify(value)}\n`)
}

function lines<T>(path: string): readonly T[] {
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line): T => JSON.parse(line))
}
