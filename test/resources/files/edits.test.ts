import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { play } from '../../../src/model/playbook/play.ts'
import { Problem } from '../../../src/model/problem.ts'
import type { Step } from '../../../src/model/resource/step.ts'
import { block } from '../../../src/resources/files/block.ts'
import { file } from '../../../src/resources/files/file.ts'
import { line } from '../../../src/resources/files/line.ts'
import { replace } from '../../../src/resources/files/replace.ts'
import type { AbsolutePath } from '../../../src/resources/files/stat.ts'
import { transaction } from '../../../src/resources/transaction/transaction.ts'
import { Secret } from '../../../src/shell/secret.ts'
import { sh } from '../../../src/shell/sh.ts'
import { ownRig } from '../../support/rig.ts'
import { wordsIn } from '../../support/words.ts'
import { thrown } from '../../transport/helpers.ts'
import { edited, editedBytes, planned } from './edited.ts'

const PATH = '/etc/app.conf'
const secret = new Secret(() => 'hunter2')

describe('line, in other places than the end', () => {
  it('is added after the last matching line, before the first, or at the beginning', () => {
    const text = 'a 1\nb\na 2\n'
    expect(edited(text, line(PATH, 'new', { after: /^a/ }))).to.equal('a 1\nb\na 2\nnew\n')
    expect(edited(text, line(PATH, 'new', { after: /^a 1/g }))).to.equal('a 1\nnew\nb\na 2\n')
    expect(edited(text, line(PATH, 'new', { before: /^a/ }))).to.equal('new\na 1\nb\na 2\n')
    expect(edited(text, line(PATH, 'new', { before: /^b/ }))).to.equal('a 1\nnew\nb\na 2\n')
    expect(edited(text, line(PATH, 'new', { first: true }))).to.equal('new\na 1\nb\na 2\n')
    expect(edited(undefined, line(PATH, 'new', { first: true }))).to.equal('new\n')
  })

  it('is not moved', () => {
    expect(edited('a\nb\n', line(PATH, 'b', { before: /^a/ }))).to.equal('a\nb\n')
    expect(edited('a\nb 1\n', line(PATH, 'b 2', { match: /^b/, first: true }))).to.equal('a\nb 2\n')
  })

  it('keeps a byte order mark at the beginning, and CRLF', () => {
    expect(edited('\ufeffa\r\nb\r\n', line(PATH, 'new', { first: true }))).to.equal('\ufeffnew\r\na\r\nb\r\n')
  })

  it('is a Problem if no line matches the place', () => {
    expect(() => edited('a\n', line(PATH, 'new', { after: /^b/ }))).to.throw(
      Problem,
      '/etc/app.conf has no line that matches /^b/',
    )
    expect(() => line(PATH, 'new', { after: /a/, first: true })).to.throw(
      TypeError,
      'give one of after, before and first',
    )
  })
})

describe('line, made from the match', () => {
  const quiet = line(PATH, ([, rest]) => `CMDLINE="quiet${rest}"`, { match: /^CMDLINE="(?:quiet)?(.*)"$/ })

  it('keeps the groups, in each matching line', () => {
    expect(edited('x\nCMDLINE=" splash"\nCMDLINE=""\n', quiet)).to.equal('x\nCMDLINE="quiet splash"\nCMDLINE="quiet"\n')
    expect(planned('CMDLINE=""\n', quiet)).to.deep.equal(['line: CMDLINE="" → CMDLINE="quiet"'])
  })

  it('is a Problem if no line matches, or if a second run would change it again', () => {
    expect(() => edited('x\n', quiet)).to.throw(Problem, 'has no line that matches')
    const again = line(PATH, ([, rest]) => `CMDLINE="quiet ${rest}"`, { match: /^CMDLINE="(.*)"$/ })
    const gone = line(PATH, () => 'other', { match: /^CMDLINE=/ })
    expect(() => edited('CMDLINE=""\n', gone)).to.throw(Problem, `A second run would change ${PATH} again`)
    expect(() => edited('CMDLINE=""\n', again)).to.throw(Problem, `A second run would change ${PATH} again`)
  })

  it('needs a match, and one line', () => {
    // @ts-expect-error a function needs { match }
    expect(() => line(PATH, () => 'a')).to.throw(TypeError, 'a function needs { match }')
    expect(() =>
      edited(
        'a\n',
        line(PATH, () => 'a\nb', { match: /a/ }),
      ),
    ).to.throw(Problem, ': the line made from "a" has several lines')
  })
})

describe('line.absent', () => {
  it('removes each line with the text, or that matches', () => {
    expect(edited('a\nb\na\n', line.absent(PATH, 'a'))).to.equal('b\n')
    expect(edited('a 1\nb\n#a\n', line.absent(PATH, /^#?a/g))).to.equal('b\n')
    expect(planned('a 1\nb\n', line.absent(PATH, /^a/))).to.deep.equal(['line: a 1 → absent'])
  })

  it('does not change a file without such lines, even one without a last line feed, and creates none', () => {
    expect(edited('b\na.c', line.absent(PATH, 'abc'))).to.equal('b\na.c')
    expect(line.absent(PATH, 'a').diff([undefined, Buffer.alloc(0)])).to.equal(undefined)
    expect(editedBytes(undefined, line.absent(PATH, 'a'))).to.have.length(0)
  })

  it('rejects an expression that matches empty lines', () => {
    expect(() => line.absent(PATH, /^\s*/)).to.throw(TypeError, 'it would remove every blank line')
    expect(() => line.absent(PATH, 'a\nb')).to.throw(TypeError, 'the text has several lines')
  })
})

describe('block', () => {
  const db = block(PATH, 'db', 'one\ntwo\n')
  const marked = '# BEGIN provision db\none\ntwo\n# END provision db\n'

  it('is added at the end or at its place, and replaced where it is', () => {
    expect(edited('a\n', db)).to.equal(`a\n${marked}`)
    expect(edited(undefined, db)).to.equal(marked)
    expect(edited('a\nb', block(PATH, 'db', 'one\ntwo', { before: /^b/ }))).to.equal(`a\n${marked}b\n`)
    expect(edited(`a\n${marked}b\n`, block(PATH, 'db', 'three', { first: true }))).to.equal(
      'a\n# BEGIN provision db\nthree\n# END provision db\nb\n',
    )
    expect(planned('', db)).to.deep.equal([
      'line: nothing → # BEGIN provision db',
      'line: nothing → one',
      'line: nothing → two',
      'line: nothing → # END provision db',
    ])
  })

  it('is distinct from blocks of other ids, also of a longer one', () => {
    const both = edited('', db, block(PATH, 'db 2', 'x'))
    expect(both).to.equal(`${marked}# BEGIN provision db 2\nx\n# END provision db 2\n`)
    expect(edited(both, block.absent(PATH, 'db'))).to.equal('# BEGIN provision db 2\nx\n# END provision db 2\n')
  })

  it('takes the comments of the language and the line endings of the file', () => {
    expect(edited('<a>\r\n', block(PATH, 'x', '<b>', { comment: ['<!--', '-->'] }))).to.equal(
      '<a>\r\n<!-- BEGIN provision x -->\r\n<b>\r\n<!-- END provision x -->\r\n',
    )
    expect(
      edited('// BEGIN provision x\n1\n// END provision x\n', block.absent(PATH, 'x', { comment: '//' })),
    ).to.equal('')
  })

  for (const [what, text] of Object.entries({
    'a block without its end': 'a\n# BEGIN provision db\none\nimportant\n',
    'an end without its beginning': 'a\n# END provision db\n',
    'an end before the beginning': '# END provision db\n# BEGIN provision db\n',
    'two blocks of one id': marked + marked,
    'a beginning within the block': `# BEGIN provision db\n${marked}`,
  }))
    it(`never changes a file with ${what}`, () => {
      expect(() => edited(text, db)).to.throw(Problem, '" after it, so the block is not known')
      expect(() => edited(text, block.absent(PATH, 'db'))).to.throw(Problem, '" after it, so the block is not known')
    })

  it('rejects ids and texts that would not be found again', () => {
    for (const id of ['', ' a', 'a\nb', 'a  b', 'a\tb'])
      expect(() => block(PATH, id, 'x')).to.throw(TypeError, 'an id is one line')
    expect(() => block(PATH, 'a', ' \n')).to.throw(TypeError, 'the text is empty: use block.absent')
    expect(() => block(PATH, 'a', 'x\n # END provision a')).to.throw(TypeError, 'the text contains the mark')
    expect(() => block(PATH, 'a', 'x\0')).to.throw(TypeError, 'the text has a NUL')
    expect(() => block(PATH, 'a', 'x', { comment: '#\n' })).to.throw(TypeError, 'a comment is one line')
  })
})

describe('replace', () => {
  it('replaces all matches in the whole text, with groups', () => {
    expect(
      edited('listen 80;\n listen 443;\n', replace(PATH, /^(\s*)listen (\d+);$/, '$1listen 127.0.0.1:$2;')),
    ).to.equal('listen 127.0.0.1:80;\n listen 127.0.0.1:443;\n')
    expect(edited('<a>\nold\n</a>\n', replace(PATH, /(?<=<a>\n)old/, 'new'))).to.equal('<a>\nnew\n</a>\n')
    expect(edited('no match', replace(PATH, /x/, 'y'))).to.equal('no match')
    expect(edited(undefined, replace(PATH, /x/, 'y'))).to.equal('')
  })

  it('is a Problem if a second run would change it again', () => {
    expect(() => edited('a b\n', replace(PATH, /a/, 'aa'))).to.throw(Problem, `A second run would change ${PATH} again`)
    expect(() => replace(PATH, /x*/, 'y')).to.throw(TypeError, 'also matches an empty text')
    expect(() => replace(PATH, /x/, '\0')).to.throw(TypeError, 'the replacement has a NUL')
  })

  it('keeps bytes that are not UTF-8', () => {
    const latin = Buffer.from('# Gr\xfc\xdfe\nport 1\n', 'latin1')
    expect(editedBytes(latin, replace(PATH, /port 1/, 'port 2'))).to.deep.equal(
      Buffer.from('# Gr\xfc\xdfe\nport 2\n', 'latin1'),
    )
  })
})

describe('edits of a file', () => {
  const rig = ownRig()
  const run = (steps: readonly Step[], on?: () => void) =>
    rig.run((web) => [play('web', { hosts: web }, () => steps)], {
      on: ({ kind }) => void (kind === 'refreshed' && on?.()),
    })
  let path: AbsolutePath
  beforeEach(() => {
    path = `${rig.empty()}/it's a file`
  })

  it('show no secret in the plan', () => {
    for (const step of [
      line(PATH, secret),
      block(
        PATH,
        'a',
        secret.map((value) => `password ${value}\n`),
      ),
    ]) {
      const found = step.diff([undefined, Buffer.alloc(0)])
      expect(JSON.stringify(found)).not.to.include('hunter2')
      expect(found?.texts?.map(({ after }) => after)).to.deep.equal([undefined])
      expect(step.name).not.to.include('hunter2')
    }
    expect(edited('', line(PATH, secret))).to.equal('hunter2\n')
  })

  it('are applied one after the other, and a second run has nothing to do', async () => {
    writeFileSync(path, 'a\nb')
    const steps = [
      line(path, 'a 2', { match: /^a/ }),
      line(path, 'c', { after: /^a/ }),
      block(path, 'x', 'in the block'),
    ]
    expect((await run(steps)).problems).to.deep.equal([])
    expect(readFileSync(path, 'utf8')).to.equal('a 2\nc\nb\n# BEGIN provision x\nin the block\n# END provision x\n')
    const { summary } = await run(steps)
    expect(summary.hosts[0]).to.include({ ok: 3, changed: 0 })
  })

  it('are validated and applied together in a transaction', async function () {
    if (!rig.machine.isPrivate) return this.skip()
    writeFileSync(path, 'a\nb\n')
    const conf = (checked: string) =>
      transaction('conf', [line(path, 'a 2', { match: /^a/ }), block(path, 'x', 'y'), line.absent(path, 'b')], {
        validate: sh`grep -q ${checked} ${path} && ! grep -qx b ${path} && grep -q ^y ${path}`,
      })
    expect(wordsIn((await run([conf('no such text')])).events)).to.include('The validation of the new files failed')
    expect(readFileSync(path, 'utf8')).to.equal('a\nb\n')
    expect((await run([conf('a 2')])).problems).to.deep.equal([])
    expect(readFileSync(path, 'utf8')).to.equal('a 2\n# BEGIN provision x\ny\n# END provision x\n')
    expect((await run([conf('a 2')])).summary.hosts[0]).to.include({ ok: 1, changed: 0 })
    expect(() => transaction('conf', [file(path, 'x'), line(path, 'a')])).to.throw(TypeError, 'two steps have the path')
  })

  it('of one file are refused together if the second undoes the first', async () => {
    for (const steps of [
      [block(path, 'x', '1'), block(path, 'x', '2')],
      [line(path, 'a 1', { match: /^a/ }), line(path, 'a 2', { match: /^a/ })],
      [line(path, 'a'), line.absent(path, 'a')],
      [transaction('conf', [block(path, 'x', '1'), block(path, 'x', '2')])],
      [block(path, 'x', '1'), transaction('conf', [block(path, 'x', '2')])],
    ]) {
      expect(String(await thrown(run(steps)))).to.include('want different things of')
      expect(existsSync(path)).to.equal(false)
    }
    const agreeing = [block(path, 'x', '1'), block(path, 'x', '1'), block(path, 'y', '1')]
    expect((await run(agreeing)).problems).to.deep.equal([])
  })

  it('never overwrite what another program has written since the file was read', async () => {
    writeFileSync(path, 'a\n')
    const changing = await run([line(path, 'b')], () => writeFileSync(path, 'theirs\n'))
    expect(wordsIn(changing.events))
      .to.include(`it was changed by another program during the run`)
      .and.to.include('Run the same command again.')
    expect(readFileSync(path, 'utf8')).to.equal('theirs\n')
    expect((await run([line(path, 'b')])).problems).to.deep.equal([])
    expect(readFileSync(path, 'utf8')).to.equal('theirs\nb\n')
    const created = await run([line(`${path}2`, 'b')], () => writeFileSync(`${path}2`, 'theirs\n'))
    expect(wordsIn(created.events)).to.include('it was changed by another program')
  })

  it('reject links and directories', async () => {
    mkdirSync(`${path}.d`)
    symlinkSync('/etc/passwd', path)
    expect((await run([block(path, 'x', 'y')])).problems.join()).to.include('is a link, not a file')
    expect((await run([replace(`${path}.d`, /x/, 'y')])).problems.join()).to.include('is a directory, not a file')
  })
})
