import { readFileSync } from 'node:fs'
import { printable } from '../text/printable.ts'
import type { Paint } from './problem.ts'

/** Characters of a line that are shown: lines that a program wrote may be endless. */
const WIDEST = 100

/** The line at `file:line:column` and a mark under the column, as compilers show it; nothing for other places. */
export function excerpt(place: string, paint: Paint): readonly string[] {
  const [, file, row, column] = /^(.+):(\d+):(\d+)$/.exec(place) ?? []
  const text = file === undefined ? undefined : lineOf(file, Number(row))
  const at = Number(column) - 1
  if (text === undefined || row === undefined || at >= text.length) return []
  const from = text.length <= WIDEST ? 0 : Math.max(0, Math.min(at - WIDEST / 2, text.length - WIDEST))
  const margin = ' '.repeat(row.length)
  return [
    `${paint('dim', `${row} |`)} ${printable(text.slice(from, from + WIDEST))}`,
    `${paint('dim', `${margin} |`)} ${text.slice(from, at).replace(/[^\t]/g, ' ')}${paint('red', '^')}`,
  ]
}

function lineOf(file: string, row: number): string | undefined {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/)[row - 1]
  } catch {
    return undefined // It was somewhere else, or is gone.
  }
}
