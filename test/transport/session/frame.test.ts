import { spawnSync } from 'node:child_process'
import { expect } from 'chai'
import { sh } from '../../../src/shell/sh.ts'
import { encode, type Frame, TRIP } from '../../../src/transport/session/frame.ts'
import { opening } from '../../../src/transport/session/open.ts'

describe('a frame', () => {
  const dialect = { token: 'feedfeedfeedfeedfeedfeed', shell: 'sh' }
  const frame: Frame = {
    id: 1,
    script: sh`echo "it's run"`,
    isolated: false,
    shared: false,
    input: undefined,
    as: undefined,
    reportsStart: false,
    asks: false,
    reportsProgress: false,
    stopsTrip: false,
    nonce: 'nonce',
  }
  const run = (...texts: readonly (string | Buffer)[]) =>
    spawnSync('sh', { input: Buffer.concat(texts.map((text) => Buffer.from(text))) }).stdout.toString()

  const parts = (...checks: readonly string[]) => ({ proof: '_y=42', checks, exported: { LIMIT: 7 } })

  it('runs after the opening', () => {
    const said = run(opening(dialect, parts()), TRIP, encode(frame, dialect))
    expect(said).to.match(/^.feed\w+ h 0 ok \d+ 42 ?\nit's run\n.feed\w+ e 1 0\n$/)
  })

  it('does not run if a login script read the start of the opening', () => {
    const lines = opening(dialect, parts()).split('\n')
    for (const at of lines.keys()) {
      const said = run(lines.slice(at + 1).join('\n'), TRIP, encode(frame, dialect))
      expect(said, `after line ${at}`).not.to.match(/ok|run/)
    }
  })

  it('does not run in a shell of another user', () => {
    const proof = "_y='not ana'"
    const said = run(opening(dialect, { ...parts(), proof }), TRIP, encode(frame, dialect))
    expect(said).to.match(/^.\w+ h 0 not ana\n$/)
  })

  it('does not run if a check of the opening ended the shell', () => {
    const said = run(opening(dialect, parts('_h held by ana; exit')), TRIP, encode(frame, dialect))
    expect(said).to.match(/^.\w+ h 0 held by ana\n$/)
  })

  for (const isolated of [false, true])
    for (const input of [undefined, Buffer.from("a'b\0")])
      it(`does not run if it is truncated (${isolated ? 'isolated' : 'inline'}${input ? ', with input' : ''})`, () => {
        const whole = encode({ ...frame, isolated, input, stopsTrip: true }, dialect)
        const start = Buffer.from(`${opening(dialect, parts())}${TRIP}`)
        const cuts = Array.from({ length: 12 }, (_, i) => Math.floor((whole.length * (i + 1)) / 13))
        for (const cut of [...cuts, whole.length - 3])
          expect(run(start, whole.subarray(0, cut)), `cut at ${cut}`).not.to.include('run')
      })
})
