import { expect } from 'chai'
import { batch } from '../../../src/engine/hosts/batch.ts'
import { batchRead, known, mapRead, type Read, read, readAll, readBoth } from '../../../src/model/resource/read.ts'
import { sh } from '../../../src/shell/sh.ts'

describe('a read', () => {
  /** Returns the length of each query. */
  const size = batchRead<string, number>({
    name: 'sizes',
    script: (words) => sh`sizes ${words}`,
    parse: ({ stdout }, words) => words.map((_word, i) => Number(stdout.split(' ')[i])),
  })
  const user = batchRead<string, string>({
    name: 'as',
    as: 'postgres',
    script: (words) => sh`whoami ${words}`,
    parse: ({ stdout }, words) => words.map(() => stdout),
  })

  /** The value of the read for these answers. */
  const value = <T>(of: Read<T>, ...answers: readonly string[]): T =>
    batch(of).value(
      answers.map((stdout) => ({
        code: 0,
        stdout: Buffer.from(stdout),
        stderr: Buffer.alloc(0),
        skipped: false,
        timedOut: false,
      })),
    )
  const scripts = (of: Read<unknown>) => batch(of).scripts.map(({ script }) => script.text)

  it('joins all reads of its batch in one script', () => {
    const all = readBoth(
      readAll([size('a'), size('bb')]),
      mapRead(size('ccc'), (n) => n * 2),
    )
    expect(scripts(all)).to.deep.equal(['sizes a bb ccc'])
    expect(value(all, '1 2 3')).to.deep.equal([[1, 2], 6])
  })

  it('runs once per round trip if it occurs twice, and answers both', () => {
    const one = read(sh`uname`, ({ stdout }) => stdout)
    expect(scripts(readBoth(one, readAll([one, one])))).to.deep.equal(['uname'])
    expect(value(readBoth(one, readAll([one, one])), 'Linux')).to.deep.equal(['Linux', ['Linux', 'Linux']])
  })

  it('with the same script as another one runs once, and each parses the answer', () => {
    const of = (suffix: string) => read(sh`uname`, ({ stdout }) => stdout + suffix)
    const all = readAll([of('1'), of('2'), read(sh`uname`, ({ stdout }) => stdout, { as: 'postgres' })])
    expect(scripts(all)).to.deep.equal(['uname', 'uname'])
    expect(value(all, 'Linux', 'other')).to.deep.equal(['Linux1', 'Linux2', 'other'])
  })

  it('that may share a subshell is placed next to others of its kind, and has its own answer', () => {
    const own = (text: string, shared: boolean) => read(sh`echo ${text}`, ({ stdout }) => stdout, { shared })
    const all = readAll([own('a', true), own('b', false), own('c', true)])
    expect(scripts(all)).to.deep.equal(['echo a', 'echo c', 'echo b'])
    expect(value(all, 'A', 'C', 'B')).to.deep.equal(['A', 'B', 'C'])
  })

  it('keeps the order of answers if batches are mixed', () => {
    const own = (text: string) => read(sh`echo ${text}`, ({ stdout }) => stdout)
    const all = readAll<unknown>([size('a'), own('x'), size('bb'), user('u'), known(7), own('y')])
    expect(scripts(all)).to.deep.equal(['sizes a bb', 'echo x', 'whoami u', 'echo y'])
    expect(value(all, '1 2', 'X', 'root', 'Y')).to.deep.equal([1, 'X', 2, 'root', 7, 'Y'])
  })

  it('runs nothing if the value is known or the list is empty', () => {
    expect(scripts(readBoth(known(1), readAll([])))).to.deep.equal([])
    expect(value(readBoth(known(1), readAll([])))).to.deep.equal([1, []])
  })

  it('as another user runs in isolation as that user; a read never stops a round trip', () => {
    expect(
      batch(readBoth(user('a'), size('b'))).scripts.map(({ as, mode, mayFail }) => [as, mode, mayFail]),
    ).to.deep.equal([
      ['postgres', 'isolated', true],
      [undefined, undefined, true],
    ])
  })
})
