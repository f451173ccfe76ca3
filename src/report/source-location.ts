import { readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import type { Source } from '../model/source.ts'

/** Where, in words. */
export function formatSource(where: string | Source): string {
  return typeof where === 'string' ? where : placeOf(where)
}

/** `file:line:column` as its author sees it: a place in a bundled file is looked up in the source map beside it. */
function placeOf({ file, line, column }: Source): string {
  const map = mapOf(file)
  const entry = map?.findEntry(line - 1, column - 1)
  if (!entry || !('originalSource' in entry)) return `${file}:${line}:${column}`
  const original = decodeURIComponent(new URL(entry.originalSource, `file://${file}`).pathname)
  return `${original}:${entry.originalLine + 1}:${entry.originalColumn + 1}`
}

const maps = new Map<string, SourceMap | undefined>()

function mapOf(file: string): SourceMap | undefined {
  if (!maps.has(file)) maps.set(file, loadMap(file))
  return maps.get(file)
}

function loadMap(file: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')))
  } catch {
    return undefined // It runs as it was written.
  }
}
