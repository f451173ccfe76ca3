import { createHash } from 'node:crypto'
import { Shell, sh } from './sh.ts'

/** Bytes of arguments for one program. Less than the 128 KiB that Linux guarantees, whatever the limits of the user: see execve(2). */
const MOST = 96 * 1024

/** Bytes of the pointer to a word, and of the NUL at its end. */
const EXTRA = 9

/** PATH_MAX in bytes: no file has a longer path. */
const LONGEST_PATH = 4096

/** Returns one command for all these paths, or several if they are too many for one; none without paths. */
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

/** Removes duplicates, and paths that are too long to exist. */
export function possible(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)].filter((path) => Buffer.byteLength(path) < LONGEST_PATH)
}

/** Joins scripts, one per line. */
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
 * @param command the here-document begins at the end of its last line
 * @param text a line feed is added to its end
 * @throws TypeError for a text with a NUL, which no shell can hold
 */
export function withText(command: Shell, text: string): Shell {
  if (text.includes('\0')) throw new TypeError('a text for a shell cannot hold a NUL character')
  return Shell.raw(`${command.text} <<'${delimiterFor(text)}'\n${text}\n${delimiterFor(text)}\n`)
}

/** Returns a line that is not in the text: it ends the here-document. */
function delimiterFor(text: string): string {
  const lines = new Set(text.split('\n'))
  for (let n = 0; ; n++) {
    const delimiter = `END_${createHash('sha256').update(`${n} ${text}`).digest('hex').slice(0, 16)}`
    if (!lines.has(delimiter)) return delimiter
  }
}

/** Prints the names in a directory, one per line, without those that begin with a dot. Starts no process. */
export function namesIn(directory: string): Shell {
  return sh`for path in ${directory}/*; do [ ! -e "$path" ] || printf '%s\n' "\${path##*/}"; done`
}
