import { clearScreenDown, cursorTo, moveCursor } from 'node:readline'
import type { WriteStream } from 'node:tty'
import { stripVTControlCharacters } from 'node:util'

/** Redraws lines of a terminal in place. Cuts them to the size of the terminal: lines that scroll away cannot be redrawn. */
export class Screen {
  readonly #stream: WriteStream
  #drawn = 0

  constructor(stream: WriteStream) {
    this.#stream = stream
  }

  draw(lines: readonly string[]): void {
    // A terminal of unknown size reports 0.
    const columns = this.#stream.columns || 80
    const rows = this.#stream.rows || 24
    const shown = lines.slice(0, rows - 1).map((line) => cut(line, columns))
    if (this.#drawn > 0) {
      // Typed characters are echoed and move the cursor to the right.
      cursorTo(this.#stream, 0)
      moveCursor(this.#stream, 0, -Math.min(this.#drawn, rows - 1))
      clearScreenDown(this.#stream)
    }
    this.#stream.write(shown.map((line) => `${line}\n`).join(''))
    this.#drawn = shown.length
  }
}

/** Colours take no columns; a line that is cut loses them. */
function cut(line: string, columns: number): string {
  const bare = stripVTControlCharacters(line)
  return bare.length < columns ? line : `${bare.slice(0, columns - 2)}…`
}
