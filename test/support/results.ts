import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What became of one thing that was tried. */
export interface Result {
  /** What it belongs to: the sentence of a suite, or the name of a program. */
  readonly suite: string
  readonly name: string
  readonly outcome: 'passed' | 'failed' | 'left out'
  readonly seconds: number
  /** What was measured, or why it failed. */
  readonly said?: string
}

/** Something measured, which the next night is held against. */
export interface Figure {
  readonly name: string
  readonly unit: string
  readonly median: number
  readonly least: number
  readonly most: number
  readonly runs: number
  /** The median of what nobody can do without, measured in turns with it: the machine is not as fast every night. */
  readonly floor?: number
}

/** The folder that takes what a program finds out, when somebody gathers it. */
export const RESULTS = process.env['RESULTS']

const NAMES = { results: 'results.jsonl', figures: 'figures.jsonl' } as const

/** Written at once: a program that is killed has said what it found until then. */
export function record(result: Result): void {
  append(NAMES.results, result)
}

export function recordFigure(figure: Figure): void {
  append(NAMES.figures, figure)
}

/** Keeps the journals of the runs that were begun in a folder which is about to go. */
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
