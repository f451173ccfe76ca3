import { readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { relative } from 'node:path'
import { styleText } from 'node:util'
import { Problem } from '../model/problem.ts'
import type { Source } from '../model/source.ts'
import { printable, printableInColour } from '../shell/printable.ts'
import { Secret } from '../shell/secret.ts'

/** Colours a text; `plain` does not. */
export type Paint = (style: 'red' | 'green' | 'yellow' | 'dim' | 'bold' | 'cyan', text: string) => string

export const plain: Paint = (_style, text) => text
/** Always colours: `styleText` would check stdout, but {@link paintFor} knows the stream that is written to. */
export const coloured: Paint = (style, text) => styleText(style, text, { validateStream: false })

/** Colours for a terminal that supports them, unless NO_COLOR is set; everywhere with FORCE_COLOR, unless that is 0. */
export function paintFor({ isTTY }: { readonly isTTY?: boolean }): Paint {
  const { FORCE_COLOR, NO_COLOR, TERM } = process.env
  if (FORCE_COLOR) return FORCE_COLOR === '0' ? plain : coloured
  return isTTY && !NO_COLOR && TERM !== 'dumb' ? coloured : plain
}

/** Masks secrets and removes control characters, except colours. All text goes through it right before it is printed. */
export function sanitized(text: string, paint: Paint): string {
  // Control characters within a secret may have hidden it from the first redaction.
  const clean = paint === plain ? printable : printableInColour
  return Secret.redact(clean(Secret.redact(text)))
}

/** A Problem in full: message, location, details and next step. */
export function showProblem(problem: Problem, paint: Paint): string {
  const { message, where, details, next } = problem
  const lines = [
    `${paint('red', 'error:')} ${paint('bold', message)}`,
    ...(where === undefined ? [] : locationLines(formatSource(where), paint)),
    ...details.map((line) => `   ${line}`),
    ...(next === undefined ? [] : [`   ${paint('cyan', next)}`]),
  ]
  return sanitized(lines.join('\n'), paint)
}

function locationLines(location: string, paint: Paint): readonly string[] {
  return [`   ${paint('dim', 'at')} ${location}`, ...excerpt(location, paint).map((line) => `     ${line}`)]
}

/** Any error. One that is no Problem is a bug of provision and is shown with its stack. */
export function showError(error: unknown, paint: Paint, { stack = false }: { readonly stack?: boolean } = {}): string {
  if (error instanceof Problem) {
    const trace = stack && error.stack ? `\n${error.stack}` : ''
    return showProblem(error, paint) + Secret.redact(trace)
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return Secret.redact(`${paint('red', 'error:')} this is a bug in provision, not in your files\n${text}`)
}

/** Characters of a source line that are shown. */
const MAX_WIDTH = 100

/** The line at `file:line:column` and a mark below the column, as compilers show it; empty for other locations. */
export function excerpt(location: string, paint: Paint): readonly string[] {
  const [, file, row, column] = /^(.+):(\d+):(\d+)$/.exec(location) ?? []
  const text = file === undefined ? undefined : lineOf(file, Number(row))
  const at = Number(column) - 1
  if (text === undefined || row === undefined || at >= text.length) return []
  const from = text.length <= MAX_WIDTH ? 0 : Math.max(0, Math.min(at - MAX_WIDTH / 2, text.length - MAX_WIDTH))
  const margin = ' '.repeat(row.length)
  return [
    `${paint('dim', `${row} |`)} ${printable(text.slice(from, from + MAX_WIDTH))}`,
    `${paint('dim', `${margin} |`)} ${text.slice(from, at).replace(/[^\t]/g, ' ')}${paint('red', '^')}`,
  ]
}

/** Undefined for a file that does not exist on this machine. */
function lineOf(file: string, row: number): string | undefined {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/)[row - 1]
  } catch {
    return undefined
  }
}

/** `file:line:column` in the original file: a location in a bundle is looked up in its source map. */
export function formatSource(where: string | Source): string {
  if (typeof where === 'string') return where
  const { file, line, column } = where
  const entry = mapOf(file)?.findEntry(line - 1, column - 1)
  if (!entry || !('originalSource' in entry)) return `${file}:${line}:${column}`
  const original = decodeURIComponent(new URL(entry.originalSource, `file://${file}`).pathname)
  return `${original}:${entry.originalLine + 1}:${entry.originalColumn + 1}`
}

/** The same, relative to the current directory where the file is below it. */
export function relativeSource(source: Source): string {
  const location = formatSource(source)
  const near = relative(process.cwd(), location)
  return near.startsWith('..') ? location : near
}

const maps = new Map<string, SourceMap | undefined>()

function mapOf(file: string): SourceMap | undefined {
  if (!maps.has(file)) maps.set(file, loadMap(file))
  return maps.get(file)
}

/** Undefined for a file that is not bundled. */
function loadMap(file: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')))
  } catch {
    return undefined
  }
}
