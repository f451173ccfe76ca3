// cspell:ignore nobody errand Whom
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { ROOT } from './exports.ts'
import { PAGES } from './pages.ts'
import { averageSentence, sentencesOf } from './sentences.ts'

const run = promisify(execFile)

describe('the words of the project', () => {
  it('are checked by a linter that suggests a replacement', async () => {
    const planted = 'The errand of nobody.'
    const cspell = join(ROOT, 'node_modules/.bin/cspell')
    const child = run(cspell, ['lint', '--no-progress', '--no-summary', '--config', 'cspell.config.yaml', 'stdin'], {
      cwd: ROOT,
    })
    child.child.stdin?.end(planted)
    const failed = await child.then(
      () => undefined,
      (error: { readonly stdout: string }) => error.stdout,
    )
    expect(failed).to.include('(errand) fix: (command)').and.include('(nobody)')
  })

  it('are part of `npm run lint`, which `npm test` runs', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      readonly scripts: Readonly<Record<string, string>>
    }
    expect(scripts['lint']).to.include('cspell lint')
    expect(scripts['check']).to.include('npm run -s lint')
    expect(scripts['test']).to.include('npm run -s check')
  })
})

describe('sentences of the docs', () => {
  it('have 18 words on average or fewer, on each page', () => {
    const long = PAGES.map(({ path, text }) => ({ path, words: averageSentence(text) })).filter(
      ({ words }) => words > 18,
    )
    expect(long).to.deep.equal([])
  })

  it('are counted without code, tables and headings', () => {
    const page =
      '# A heading\n\nOne `a b c` sentence. And one more: here.\n\n    $ a command\n\n| a | table |\n\n- a list item\n'
    expect(sentencesOf(page)).to.deep.equal(['One X sentence.', 'And one more:', 'here.', 'a list item'])
    expect(averageSentence(page)).to.equal(2.5)
  })
})
