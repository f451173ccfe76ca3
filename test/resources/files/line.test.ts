import { chmodSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { play } from '../../../src/model/playbook/play.ts'
import type { Step } from '../../../src/model/resource/step.ts'
import { line } from '../../../src/resources/files/line.ts'
import type { AbsolutePath } from '../../../src/resources/files/stat.ts'
import { ownRig } from '../../support/rig.ts'

describe('line', () => {
  const rig = ownRig()
  let path: AbsolutePath

  beforeEach(() => {
    path = `${rig.empty()}/some file\nof $mine`
  })

  /** Applies the step, checks that a second run has nothing to do, and returns the text. */
  const settled = async (before: string | undefined, ...steps: readonly Step[]) => {
    if (before !== undefined) writeFileSync(path, before)
    const run = () => rig.run((web) => [play('web', { hosts: web }, () => steps)])
    const { problems } = await run()
    expect(problems).to.deep.equal([])
    const { summary } = await run()
    expect(summary.hosts[0]).to.include({ ok: steps.length, changed: 0, trips: 2 })
    return readFileSync(path, 'utf8')
  }

  it('is added at the end, and a missing file is created', async () => {
    expect(await settled('a\nb\n', line(path, 'c'))).to.equal('a\nb\nc\n')
    expect(await settled('a\nb', line(path, 'c'))).to.equal('a\nb\nc\n')
    expect(await settled('', line(path, 'c'))).to.equal('c\n')
  })

  it('creates the file and its directories', async () => {
    path = `${rig.empty()}/deep/er`
    expect(await settled(undefined, line(path, 'c'))).to.equal('c\n')
  })

  it('does not change a file that has it once or twice', async () => {
    expect(await settled('a\nb\na', line(path, 'a'))).to.equal('a\nb\na')
  })

  it('replaces the first matching line and removes the others', async () => {
    const step = line(path, 'UMASK 027', { match: /^#?umask\s/gi })
    expect(await settled('x\n#UMASK 1\ny\nUMASK 2\nUMASK 027\nz\n', step)).to.equal('x\nUMASK 027\ny\nz\n')
  })

  it('need not match itself', async () => {
    expect(await settled('a\nb\na\n', line(path, 'c', { match: /a/ }))).to.equal('c\nb\n')
  })

  it('may be one of several lines of a file', async () => {
    const text = await settled(
      'Port 22\n',
      line(path, 'one'),
      line(path, 'Port 23', { match: /^Port/ }),
      line(path, 'two'),
    )
    expect(text).to.equal('Port 23\none\ntwo\n')
  })

  it('is taken literally', async () => {
    const canary = `${rig.empty()}/canary`
    const hostile = `it's $(touch ${canary}) \`id\` "\\t\\n" & %s * ✓`
    expect(await settled(`1e1\n${hostile} \n\n`, line(path, '10'), line(path, hostile))).to.equal(
      `1e1\n${hostile} \n\n10\n${hostile}\n`,
    )
    expect(await settled('a.c\nabc\n', line(path, 'x', { match: /^a\.c$/ }))).to.equal('x\nabc\n')
    expect(existsSync(canary)).to.equal(false)
  })

  it('replaces a line that is not UTF-8, and keeps the bytes of the others', async () => {
    const latin = (text: string) => Buffer.from(text, 'latin1')
    writeFileSync(path, latin('# Gr\xfc\xdfe\nUMASK 022 # f\xfcr alle\n'))
    await settled(undefined, line(path, 'UMASK 027', { match: /^UMASK\s/ }))
    expect(readFileSync(path)).to.deep.equal(latin('# Gr\xfc\xdfe\nUMASK 027\n'))
  })

  it('keeps CRLF line endings, and adds a line with them', async () => {
    const crlf = 'UMASK 022\r\nFOO 1\r\n'
    expect(await settled(crlf, line(path, 'FOO 1'))).to.equal(crlf)
    expect(await settled(crlf, line(path, 'FOO 2', { match: /^FOO \d$/ }))).to.equal('UMASK 022\r\nFOO 2\r\n')
    expect(await settled(crlf, line(path, 'BAR 2'))).to.equal(`${crlf}BAR 2\r\n`)
  })

  it('finds the first line after a byte order mark, and keeps the mark', async () => {
    expect(await settled('\ufeffFIRST=1\nx\n', line(path, 'FIRST=2', { match: /^FIRST=/ }))).to.equal(
      '\ufeffFIRST=2\nx\n',
    )
    expect(await settled('\ufeffFIRST=1\n', line(path, 'FIRST=1'))).to.equal('\ufeffFIRST=1\n')
  })

  it('may be longer than an argument of a program, and its name is short', async () => {
    const long = `key=${'x'.repeat(200_000)}`
    const step = line(path, long, { match: /^key=/ })
    expect(await settled(`key=${'y'.repeat(200_000)}\nz\n`, step)).to.equal(`${long}\nz\n`)
    expect(step.name.length).to.be.below(path.length + 110)
  })

  it('rejects a match that fits an empty line', () => {
    expect(() => line(path, 'x', { match: /(?:)/ })).to.throw(TypeError, 'it would replace every blank line')
    expect(() => line(path, 'x', { match: /^\s*$/g })).to.throw(TypeError, 'it would replace every blank line')
  })

  it('keeps the mode of the file', async () => {
    writeFileSync(path, 'a\n')
    chmodSync(path, 0o640)
    await settled('a\n', line(path, 'b'))
    expect(statSync(path).mode & 0o777).to.equal(0o640)
  })

  it('rejects a path that is not a file, and a text of several lines', async () => {
    symlinkSync('/etc/passwd', path)
    const { problems } = await rig.run((web) => [play('web', { hosts: web }, () => [line(path, 'a')])])
    expect(problems.join()).to.include('is a link, not a file')
    expect(() => line(path, 'a\nb')).to.throw('the text has several lines')
  })
})
