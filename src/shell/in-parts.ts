import { lines } from './lines.ts'
import { type Shell, sh } from './sh.ts'

/** Bytes of words that each kernel takes for one program, whatever the limits of its user: a quarter of what Linux grants at least. */
const MOST = 96 * 1024
/** Bytes of the pointer to a word, and of the NUL at its end. */
const EXTRA = 9
/** Bytes of a path, PATH_MAX: nothing is at a longer one. */
const LONGEST_PATH = 4096

/** One command for all these paths, or several where they are too many for one. Nothing for none. */
export function forPaths(paths: readonly string[], command: (part: readonly string[]) => Shell): Shell {
  const parts: string[][] = []
  let size = MOST
  for (const path of possible(paths)) {
    const length = Buffer.byteLength(path) + EXTRA
    if (size + length > MOST) {
      parts.push([])
      size = 0
    }
    parts.at(-1)?.push(path)
    size += length
  }
  return parts.length === 0 ? sh`:` : lines(parts.map(command))
}

/** Each path once, without those that are too long for anything to be there. */
export function possible(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)].filter((path) => Buffer.byteLength(path) < LONGEST_PATH)
}
