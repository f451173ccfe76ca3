/** A line of a file on a host, whatever its bytes are. */
export interface FileLine {
  /** All its bytes but the line feed, one character for each byte. */
  readonly bytes: string
  /** Its text, without a byte order mark before it and a carriage return after it. */
  readonly text: string
}

const MARK = '\xef\xbb\xbf'

/** Splits the bytes of a file. The line feed at its end is optional. */
export function linesOf(content: Uint8Array | undefined): readonly FileLine[] {
  const bytes = Buffer.from(content ?? []).toString('latin1')
  return bytes === '' ? [] : bytes.replace(/\n$/, '').split('\n').map(lineOf)
}

export function lineOf(bytes: string): FileLine {
  const bare = bytes.slice(bytes.startsWith(MARK) ? MARK.length : 0, bytes.endsWith('\r') ? -1 : undefined)
  return { bytes, text: decoded(bare) }
}

/** The line with another text, under the byte order mark and with the line ending that it has. */
export function withText(line: FileLine, text: string): FileLine {
  const before = line.bytes.startsWith(MARK) ? MARK : ''
  const after = line.bytes.endsWith('\r') && !text.endsWith('\r') ? '\r' : ''
  return lineOf(before + encoded(text) + after)
}

/** A line to add to these: it ends as the last of them does. */
export function appendedLine(lines: readonly FileLine[], text: string): FileLine {
  const last = lines.at(-1)
  return last
    ? withText({ ...last, bytes: last.bytes.endsWith('\r') ? '\r' : '' }, text)
    : lineOf(encoded(text))
}

export function contentOf(lines: readonly FileLine[]): Buffer {
  return Buffer.from(lines.map(({ bytes }) => `${bytes}\n`).join(''), 'latin1')
}

/** What printf's %b turns into these bytes: printable ASCII as it is, everything else as octal digits. */
export function escapedBytes(bytes: string): string {
  return bytes.replace(/[^ -[\]-~]/g, (one) => `\\0${one.charCodeAt(0).toString(8).padStart(3, '0')}`)
}

/** Files in an 8-bit encoding exist: what is not UTF-8 is read as Latin-1, which loses nothing. */
function decoded(bytes: string): string {
  const buffer = Buffer.from(bytes, 'latin1')
  const text = buffer.toString()
  return Buffer.from(text).equals(buffer) ? text : bytes
}

function encoded(text: string): string {
  return Buffer.from(text).toString('latin1')
}
