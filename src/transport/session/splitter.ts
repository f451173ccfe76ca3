/** A message of the host between the outputs of scripts. */
export interface Mark {
  /** `h`: hello, `p`: a frame's process, `r`: ready for a frame's input, `s`: a line of `say`, `e`: a frame's end. */
  readonly kind: string
  readonly frame: number
  readonly value: string
  /** The output since the last hello or end, for a mark of these kinds. */
  readonly body: Buffer
}

/** Splits one output stream of a session's shell at its marks. Reads each byte once, however the stream is chunked. */
export class Splitter {
  readonly #mark: Buffer
  #parts: Buffer[] = []
  /** The possible start of a mark. */
  #rest: Buffer = Buffer.alloc(0)

  constructor(token: string) {
    this.#mark = Buffer.from(`\x01${token} `)
  }

  push(chunk: Buffer): readonly Mark[] {
    const marks: Mark[] = []
    let data = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    for (;;) {
      const at = data.indexOf(this.#mark)
      const end = at < 0 ? -1 : data.indexOf(NEWLINE, at)
      if (end < 0) {
        const complete = at < 0 ? this.#incomplete(data) : at
        this.#keep(data.subarray(0, complete))
        this.#rest = data.subarray(complete)
        return marks
      }
      this.#keep(data.subarray(0, at))
      marks.push(this.#read(data.toString('utf8', at + this.#mark.length, end)))
      data = data.subarray(end + 1)
    }
  }

  /** The output since the last mark, for a shell that has ended. */
  remainder(): Buffer {
    return Buffer.concat([...this.#parts, this.#rest])
  }

  /** The index of a mark that may be incomplete. */
  #incomplete(data: Buffer): number {
    const at = data.indexOf(START, Math.max(0, data.length - this.#mark.length))
    return at < 0 ? data.length : at
  }

  #keep(part: Buffer): void {
    if (part.length > 0) this.#parts.push(part)
  }

  #read(line: string): Mark {
    const [, kind = '', frame, value = ''] = /^(\w) (\d+) ?(.*)$/.exec(line) ?? []
    const ends = kind === 'e' || kind === 'h'
    const body = ends ? this.#take() : NOTHING
    return { kind, frame: Number(frame), value, body }
  }

  #take(): Buffer {
    const [first = NOTHING, ...others] = this.#parts
    this.#parts = []
    return others.length === 0 ? first : Buffer.concat([first, ...others])
  }
}

const START = 0x01
const NEWLINE = 0x0a
const NOTHING = Buffer.alloc(0)
