import { expect } from 'chai'
import { type Mark, Splitter } from '../../../src/transport/session/frame.ts'

describe('the splitter', () => {
  const token = '0123456789abcdef01234567'
  const stream = Buffer.from(
    `noise\x01${token} h 0 ok 42\na\0b\x01\x01${token} e 1 0\n\x01${token} r 2 99\n\x01${token} p 2 7.8\n` +
      `x\x01${token.slice(0, 9)} \xff\x01${token} e 2 137\n\x01${token} e 3 skip\nrest`,
    'latin1',
  )
  const read = (pieces: readonly Buffer[]) => {
    const splitter = new Splitter(token)
    const marks = pieces.flatMap((piece) => splitter.push(piece)).map(shown)
    return { marks, rest: splitter.remainder().toString() }
  }
  const expected = {
    marks: [
      ['h', 0, 'ok 42', 'noise'],
      ['e', 1, '0', 'a\0b\x01'],
      ['r', 2, '99', ''],
      ['p', 2, '7.8', ''],
      ['e', 2, '137', `x\x01${token.slice(0, 9)} \xff`],
      ['e', 3, 'skip', ''],
    ],
    rest: 'rest',
  }

  it('splits a stream at its marks', () => {
    expect(read([stream])).to.deep.equal(expected)
  })

  it('does so for any chunks of the stream', () => {
    for (let size = 1; size < stream.length; size++) {
      const pieces: Buffer[] = []
      for (let at = 0; at < stream.length; at += size) pieces.push(stream.subarray(at, at + size))
      expect(read(pieces), `pieces of ${size}`).to.deep.equal(expected)
    }
  })

  it('copies each byte of a stream about twice, however long the stream is', () => {
    for (const chunks of [10, 100, 1_000]) {
      const bytes = chunks * 1000
      // Copies of the whole rest for each chunk would be a factor of half the chunks.
      expect(copiedFor(chunks), `${chunks} chunks`)
        .to.be.at.least(bytes)
        .and.at.most(2.1 * bytes + 2000)
    }
  })

  /** The number of bytes that are copied for a stream of so many chunks. */
  function copiedFor(chunks: number): number {
    const chunk = Buffer.alloc(1000, 1)
    const splitter = new Splitter(token)
    const { concat } = Buffer
    let copied = 0
    Buffer.concat = (parts, length) => {
      const whole = concat(parts, length)
      copied += whole.length
      return whole
    }
    try {
      for (let i = 0; i < chunks; i++) splitter.push(chunk)
      const [mark] = splitter.push(Buffer.from(`\x01${token} e 1 0\n`))
      expect(mark?.body.length).to.equal(chunks * 1000)
      return copied
    } finally {
      Buffer.concat = concat
    }
  }
})

function shown({ kind, frame, value, body }: Mark): readonly unknown[] {
  return [kind, frame, value, body.toString('latin1')]
}
