import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { unknownIn } from './command-lines.ts'
import { ROOT } from './exports.ts'
import { commandLinesOf, inBackticks, PAGES, type Page, snippetsOf } from './pages.ts'
import { wrongIn } from './snippets.ts'

const every = (broken: (page: Page) => readonly string[]) =>
  PAGES.flatMap((page) => broken(page).map((what) => `${page.path}: ${what}`))

describe('the documentation pages', () => {
  it('exist', () => {
    expect(PAGES.length).to.be.greaterThan(15)
  })

  it('have valid links', () => {
    const broken = every(({ path, text }) =>
      [...text.matchAll(/\]\((?!\w+:)([^)#]*)(#[^)]*)?\)/g)].flatMap(([, to = '', anchor]) => {
        const file = to === '' ? join(ROOT, path) : join(ROOT, dirname(path), to)
        if (!existsSync(file)) return [to]
        return anchor && !anchorsOf(readFileSync(file, 'utf8')).includes(anchor) ? [`${to}${anchor}`] : []
      }),
    )
    expect(broken).to.deep.equal([])
  })

  it('name existing files', () => {
    const broken = every(({ path, text }) =>
      inBackticks(text).filter((word) => {
        if (!FILE.test(word)) return false
        return ![ROOT, join(ROOT, dirname(path))].some((base) => existsSync(join(base, word)))
      }),
    )
    expect(broken).to.deep.equal([])
  })

  it('name existing tests', () => {
    const tests = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    const broken = every(({ text }) =>
      inBackticks(text).filter(
        (word) => /^[\w-]+\.test\.ts$/.test(word) && !tests.some((test) => test.endsWith(`/${word}`)),
      ),
    )
    expect(broken).to.deep.equal([])
  })

  it('use existing commands and flags', async () => {
    const lines = PAGES.flatMap((page) => commandLinesOf(page).map((line) => ({ line, where: page.path }))).filter(
      ({ line }) => /\bprovision\b/.test(line),
    )
    expect(lines.length).to.be.greaterThan(50)
    const broken = await Promise.all(
      lines.map(async ({ line, where }) => (await unknownIn(line)).map((what) => `${where}: ${what} in: ${line}`)),
    )
    expect(broken.flat()).to.deep.equal([])
  })

  it('reject an unknown command or flag', async () => {
    expect(await unknownIn('npx provision deploi --inventory x.ts')).to.deep.equal(['provision deploi'])
    expect(await unknownIn('provision lab up --hots a')).to.deep.equal(['--hots of provision up'])
    expect(await unknownIn('provision rollback [--to ID] --too 1')).to.deep.equal(['--too of provision rollback'])
  })

  it('use existing npm scripts', () => {
    const own = scriptsOf('package.json')
    const theirs = scriptsOf('templates/project/_package.json')
    const broken = every((page) =>
      commandLinesOf(page).flatMap((line) => {
        const [, script, test] = /^npm (?:run (?:-s )?([\w:-]+)|(test)\b)/.exec(line) ?? []
        const name = script ?? test
        return name === undefined || own.includes(name) || theirs.includes(name) ? [] : [name]
      }),
    )
    expect(broken).to.deep.equal([])
  })

  it('have TypeScript that compiles', async () => {
    const snippets = PAGES.flatMap(snippetsOf)
    expect(snippets.length).to.be.greaterThan(15)
    expect(await wrongIn(snippets)).to.deep.equal([])
  })
})

/** Matches paths from the root of the project or from the page, without stars and placeholders. */
const FILE =
  /^(?:bin|src|roles|playbooks|inventory|test|docs|scripts|examples|bench|templates|schema|man)\/[\w./-]*$|^[\w./-]+\.md$/

/** Returns the anchors of the headings, as GitHub creates them. */
function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(
    ([, title = '']) =>
      `#${title
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .replace(/\s/g, '-')}`,
  )
}

function scriptsOf(path: string): readonly string[] {
  const { scripts = {} }: { scripts?: Readonly<Record<string, string>> } = JSON.parse(
    readFileSync(join(ROOT, path), 'utf8'),
  )
  return Object.keys(scripts)
}
