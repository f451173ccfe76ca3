import { createHash } from 'node:crypto'
import { Shell } from './sh.ts'

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
