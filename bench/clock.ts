import { spawn } from 'node:child_process'
import { recordFigure } from '../test/support/results.ts'

/** A command line that is measured. */
export interface Run {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/**
 * Runs a process and returns its duration in seconds.
 *
 * @throws Error with the end of its output if it fails
 */
export function timed({ command, args, env = {}, cwd }: Run): Promise<number> {
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const child = spawn(command, args, {
      env: { ...process.env, NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-2_000)
      })
    child.once('error', reject)
    child.once('close', (code) => {
      const seconds = (performance.now() - began) / 1000
      if (code === 0) resolve(seconds)
      else reject(new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output}`))
    })
  })
}

/** Several measurements. */
export interface Series {
  readonly median: number
  readonly least: number
  readonly most: number
  readonly runs: number
}

export function series(values: readonly number[]): Series {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  const at = (i: number) => sorted[i] ?? Number.NaN
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    least: at(0),
    most: at(sorted.length - 1),
    runs: sorted.length,
  }
}

/** Records a figure for comparisons between nightly runs. @param floor the median of the lower bound */
export function note(name: string, unit: string, { median, least, most, runs }: Series, floor?: number): void {
  recordFigure({ name, unit, median, least, most, runs, ...(floor !== undefined && { floor }) })
}

/** `0.81 (0.75–0.90, 7)`: median, range and number of runs. */
export function shown({ median, least, most, runs }: Series): string {
  if (runs === 0) return '–'
  const figure = (seconds: number) => seconds.toFixed(seconds < 20 ? 2 : 1)
  return runs === 1 ? `${figure(median)} (1)` : `${figure(median)} (${figure(least)}–${figure(most)}, ${runs})`
}

/** A table in Markdown with aligned columns. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((word, i) => Math.max(word.length, ...rows.map((row) => (row[i] ?? '').length)))
  const lineOf = (cells: readonly string[]) =>
    `| ${widths.map((width, i) => (cells[i] ?? '').padEnd(width)).join(' | ')} |`
  return [lineOf(head), lineOf(widths.map((width) => '-'.repeat(width))), ...rows.map(lineOf)].join('\n')
}

/** Prints progress to stderr. */
export function progress(text: string): void {
  process.stderr.write(`${text}\n`)
}
