import { expect } from 'chai'
import { Problem } from '../../src/model/problem.ts'
import { known } from '../../src/model/resource/read.ts'
import { coloured, paintFor, plain, showError, showProblem } from '../../src/report/problem.ts'
import { unifiedDiffs } from '../../src/report/text-diff.ts'
import { Secret } from '../../src/shell/secret.ts'

describe('a problem', () => {
  const whole = new Problem('It does not fit.', {
    where: 'inventory/none.ts:12:5',
    details: ['web.port: is missing', 'web.hosts: is missing'],
    next: 'Fix it.',
  })

  it('is shown with its location, its details and the next step', () => {
    expect(showProblem(whole, plain)).to.equal(`error: It does not fit.
   at inventory/none.ts:12:5
   web.port: is missing
   web.hosts: is missing
   Fix it.`)
    expect(showProblem(new Problem('It is broken.'), plain)).to.equal('error: It is broken.')
  })

  it('is shown without a stack trace by default', () => {
    expect(showError(whole, plain)).to.equal(showProblem(whole, plain))
    expect(showError(whole, plain, { stack: true })).to.match(/Fix it\.\nProblem: It does not fit\.\n +at /)
  })

  it('differs from a bug, which is shown with its stack', () => {
    expect(showError(new TypeError('x is not a function'), plain)).to.match(
      /^error: this is a bug in provision, not in your files\nTypeError: x is not a function\n +at /,
    )
    expect(showError('thrown text', plain)).to.match(/\nthrown text$/)
  })

  it('contains no secret', () => {
    const password = new Secret(() => "it's tr0ub4dor")
    const words = `psql: password ${password.reveal()} was refused`
    expect(showProblem(new Problem(words, { details: [words] }), plain)).to.equal(
      'error: psql: password *** was refused\n   psql: password *** was refused',
    )
    expect(showError(new Error(words), plain)).not.to.include('tr0ub4dor')
  })

  it('has colours on a terminal, with FORCE_COLOR everywhere, with NO_COLOR nowhere', () => {
    const { NO_COLOR, FORCE_COLOR, TERM } = process.env
    const say = (env: NodeJS.ProcessEnv) => {
      for (const name of ['NO_COLOR', 'FORCE_COLOR', 'TERM']) delete process.env[name]
      Object.assign(process.env, env)
    }
    say({ TERM: 'xterm' })
    expect([paintFor({ isTTY: true }), paintFor({ isTTY: false }), paintFor({})]).to.deep.equal([
      coloured,
      plain,
      plain,
    ])
    for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }, { FORCE_COLOR: '0' }]) {
      say(env)
      expect(paintFor({ isTTY: true })).to.equal(plain)
    }
    say({ FORCE_COLOR: '1' })
    expect(paintFor({ isTTY: false })).to.equal(coloured)
    say({ ...(NO_COLOR && { NO_COLOR }), ...(FORCE_COLOR && { FORCE_COLOR }), ...(TERM && { TERM }) })
  })
})

describe('diffs of texts', () => {
  const change = (path: string, after: string | undefined) => ({ path, before: known(''), after })
  const diffs = (before: readonly string[], ...texts: readonly ReturnType<typeof change>[]) =>
    unifiedDiffs({ action: 'change', fields: [], texts }, before)

  it('are unified, with three lines of context', () => {
    const lines = Array.from({ length: 9 }, (_, i) => `line ${i}`)
    const [diff] = diffs([lines.join('\n')], change('/a', lines.with(5, 'new').join('\n')))
    expect(diff).to.match(
      /^--- \/a\tnow\n\+\+\+ \/a\twanted\n@@ -3,7 \+3,7 @@\n line 2\n line 3\n line 4\n-line 5\n\+new\n line 6\n line 7\n line 8/,
    )
  })

  it('contain the whole text of a new file', () => {
    expect(diffs([], change('/a', 'one\ntwo\n'))).to.deep.equal([
      '--- /a\tnow\n+++ /a\twanted\n@@ -0,0 +1,2 @@\n+one\n+two',
    ])
  })

  it('show only the paths of secrets and binary files', () => {
    expect(diffs(['old secret'], change('/a', undefined))).to.deep.equal(['/a: secret, not shown'])
  })

  it('mask secrets of the old and the new text', () => {
    const password = new Secret(() => 'xkcd-936-battery')
    const [diff] = diffs([`old ${password.reveal()}\n`], change('/a', `new ${password.reveal()}\n`))
    expect(diff).to.include('-old ***\n+new ***')
  })

  it('are empty for a change without texts', () => {
    expect(unifiedDiffs({ action: 'run', fields: [] }, [])).to.deep.equal([])
  })
})
