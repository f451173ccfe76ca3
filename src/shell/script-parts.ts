import { createHash } from 'node:crypto'
import { Shell, sh } from './sh.ts'

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
  return parts.length === 0 ? sh`:` : joinLines(parts.map(command))
}

/** Each path once, without those that are too long for anything to be there. */
export function possible(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)].filter((path) => Buffer.byteLength(path) < LONGEST_PATH)
}

/** One under the other. */
export function joinLines(all: readonly Shell[]): Shell {
  return all.reduce(
    (text, one) => sh`${text}${one}
`,
    sh``,
  )
}

/**
 * A command with a text on its standard input, as a here-document: neither a process list nor the environment shows it, and a shell
 * that writes up to 4 KiB into the pipe itself starts no process for it.
 *
 * @param command on its last line, the here-document begins behind it
 * @param text a line feed is added to its end
 * @throws TypeError for a text with a NUL, which no shell can hold
 */
export function withText(command: Shell, text: string): Shell {
  if (text.includes('\0')) throw new TypeError('a text for a shell cannot hold a NUL character')
  return Shell.raw(`${command.text} <<'${delimiterFor(text)}'\n${text}\n${delimiterFor(text)}\n`)
}

/** A line that the text does not have: it ends the here-document. */
function delimiterFor(text: string): string {
  const lines = new Set(text.split('\n'))
  for (let n = 0; ; n++) {
    const delimiter = `END_${createHash('sha256').update(`${n} ${text}`).digest('hex').slice(0, 16)}`
    if (!lines.has(delimiter)) return delimiter
  }
}

/** Writes the names in a directory, a line each, without those that begin with a dot. It takes no process. */
export function namesIn(directory: string): Shell {
  return sh`for path in ${directory}/*; do [ ! -e "$path" ] || printf '%s\n' "\${path##*/}"; done`
}
