import { readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { relative } from 'node:path'
import type { Source } from '../model/source.ts'

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
