/** A line of a file on a host, in any encoding. */
export interface FileLine {
  /** The bytes without the line feed, one character per byte. */
  readonly bytes: string
  /** The text without a byte order mark and a carriage return. */
  readonly text: string
}

const BYTE_ORDER_MARK = '\xef\xbb\xbf'

/** Splits the bytes of a file. The line feed at its end is optional. */
export function linesOf(content: Uint8Array | undefined): readonly FileLine[] {
  const bytes = Buffer.from(content ?? []).toString('latin1')
  return bytes === '' ? [] : bytes.replace(/\n$/, '').split('\n').map(lineOf)
}

export function lineOf(bytes: string): FileLine {
  const bare = bytes.slice(
    bytes.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0,
    bytes.endsWith('\r') ? -1 : undefined,
  )
  return { bytes, text: decoded(bare) }
}

/** Replaces the text; keeps byte order mark and line ending. */
export function withText(line: FileLine, text: string): FileLine {
  const before = line.bytes.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : ''
  const after = line.bytes.endsWith('\r') && !text.endsWith('\r') ? '\r' : ''
  return lineOf(before + encoded(text) + after)
}

/** A new line at the end, with the line ending of the last line. */
export function appendedLine(lines: readonly FileLine[], text: string): FileLine {
  const last = lines.at(-1)
  return last ? withText({ ...last, bytes: last.bytes.endsWith('\r') ? '\r' : '' }, text) : lineOf(encoded(text))
}

/** Moves a byte order mark to the first line, if another line was inserted before it. */
export function moveByteOrderMark(lines: readonly FileLine[]): readonly FileLine[] {
  const at = lines.findIndex(({ bytes }) => bytes.startsWith(BYTE_ORDER_MARK))
  if (at <= 0) return lines
  return lines.map(({ bytes }, i) => {
    if (i === at) return lineOf(bytes.slice(BYTE_ORDER_MARK.length))
    return lineOf(i === 0 ? BYTE_ORDER_MARK + bytes : bytes)
  })
}

export function contentOf(lines: readonly FileLine[]): Buffer {
  return Buffer.from(lines.map(({ bytes }) => `${bytes}\n`).join(''), 'latin1')
}

/** Text that is not UTF-8 is read as Latin-1, which keeps all bytes. */
function decoded(bytes: string): string {
  if (!/[\x80-\xff]/.test(bytes)) return bytes
  const buffer = Buffer.from(bytes, 'latin1')
  const text = buffer.toString()
  return Buffer.from(text).equals(buffer) ? text : bytes
}

function encoded(text: string): string {
  return Buffer.from(text).toString('latin1')
}
