import { clearScreenDown, cursorTo, moveCursor } from 'node:readline'
import type { WriteStream } from 'node:tty'
import { stripVTControlCharacters } from 'node:util'

/** Lines of a terminal that are drawn anew in their place. Never more, nor longer, than it can show: they would scroll away. */
export class Screen {
  readonly #stream: WriteStream
  #drawn = 0

  constructor(stream: WriteStream) {
    this.#stream = stream
  }

  draw(lines: readonly string[]): void {
    // A terminal that does not know its size says 0.
    const columns = this.#stream.columns || 80
    const rows = this.#stream.rows || 24
    const shown = lines.slice(0, rows - 1).map((line) => cut(line, columns))
    if (this.#drawn > 0) {
      // What a person types is echoed, and has moved it to the right.
      cursorTo(this.#stream, 0)
      moveCursor(this.#stream, 0, -Math.min(this.#drawn, rows - 1))
      clearScreenDown(this.#stream)
    }
    this.#stream.write(shown.map((line) => `${line}\n`).join(''))
    this.#drawn = shown.length
  }
}

/** Colours take no room; a line that has to be cut loses them. */
function cut(line: string, columns: number): string {
  const bare = stripVTControlCharacters(line)
  return bare.length < columns ? line : `${bare.slice(0, columns - 2)}…`
}
