// cspell:ignore nobody errand Whom
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ROOT } from './exports.ts'

/** A relative clause without a verb does not say what the code does. */
const CLAUSE = /^(What|Whether|How|Where|Who|Whom|Whose)\b(?!.*\?)/

describe('comments of the sources', () => {
  it('do not begin with a relative clause', () => {
    const wrong = sources().flatMap(({ path, text }) =>
      commentsOf(text)
        .filter((comment) => CLAUSE.test(comment))
        .map((comment) => `${path}: ${comment}`),
    )
    expect(wrong, 'write a sentence or a noun phrase: "Returns …", "True if …", "The path of …"').to.deep.equal([])
  })

  it('would be found', () => {
    expect(commentsOf('/** What it is. */\n// How far\n/*\n * Whether so. */')).to.deep.equal([
      'What it is. ',
      'How far',
      'Whether so. ',
    ])
    expect(CLAUSE.test('What it is.')).to.equal(true)
    expect(CLAUSE.test('How many hosts? All.')).to.equal(false)
  })
})

function sources(): readonly { readonly path: string; readonly text: string }[] {
  const listed = execFileSync(
    'git',
    ['ls-files', '-co', '--exclude-standard', '*.ts', '*.md', '*.ejs', '*.js', '*.mjs'],
    { cwd: ROOT, encoding: 'utf8' },
  )
  return listed
    .split('\n')
    .filter((path) => path !== '' && !/CHANGELOG|^test\/docs\/comments|package-lock/.test(path))
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
}

/** The first line of each comment. */
function commentsOf(text: string): readonly string[] {
  return [...text.matchAll(/(?:^|\s)(?:\/\*\*?\s*\*?\s*|(?<!:)\/\/ )([A-Z][^\n]*?)(?=\*\/|\n|$)/g)].map(
    ([, first = '']) => first,
  )
}
