import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { unknownIn } from './command-lines.ts'
import { ROOT } from './exports.ts'
import { commandLinesOf, inBackticks, PAGES, type Page, snippetsOf } from './pages.ts'
import { wrongIn } from './snippets.ts'

const every = (broken: (page: Page) => readonly string[]) =>
  PAGES.flatMap((page) => broken(page).map((what) => `${page.path}: ${what}`))

describe('the pages of the docs', () => {
  it('are there', () => {
    expect(PAGES.length).to.be.greaterThan(15)
  })

  it('link to what there is', () => {
    const broken = every(({ path, text }) =>
      [...text.matchAll(/\]\((?!\w+:)([^)#]*)(#[^)]*)?\)/g)].flatMap(([, to = '', anchor]) => {
        const file = to === '' ? join(ROOT, path) : join(ROOT, dirname(path), to)
        if (!existsSync(file)) return [to]
        return anchor && !anchorsOf(readFileSync(file, 'utf8')).includes(anchor) ? [`${to}${anchor}`] : []
      }),
    )
    expect(broken).to.deep.equal([])
  })

  it('name files that there are', () => {
    const broken = every(({ path, text }) =>
      inBackticks(text).filter((word) => {
        if (!FILE.test(word)) return false
        return ![ROOT, join(ROOT, dirname(path))].some((base) => existsSync(join(base, word)))
      }),
    )
    expect(broken).to.deep.equal([])
  })

  it('name tests that there are', () => {
    const tests = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    const broken = every(({ text }) =>
      inBackticks(text).filter(
        (word) => /^[\w-]+\.test\.ts$/.test(word) && !tests.some((test) => test.endsWith(`/${word}`)),
      ),
    )
    expect(broken).to.deep.equal([])
  })

  it('say commands and flags that there are', async () => {
    const lines = PAGES.flatMap((page) =>
      commandLinesOf(page).map((line) => ({ line, where: page.path })),
    ).filter(({ line }) => /\bprovision\b/.test(line))
    expect(lines.length).to.be.greaterThan(50)
    const broken = await Promise.all(
      lines.map(async ({ line, where }) =>
        (await unknownIn(line)).map((what) => `${where}: ${what} in: ${line}`),
      ),
    )
    expect(broken.flat()).to.deep.equal([])
  })

  it('would not say one that there is not', async () => {
    expect(await unknownIn('npx provision deploi --inventory x.ts')).to.deep.equal(['provision deploi'])
    expect(await unknownIn('provision lab up --hots a')).to.deep.equal(['--hots of provision up'])
    expect(await unknownIn('provision rollback [--to ID] --too 1')).to.deep.equal([
      '--too of provision rollback',
    ])
  })

  it('say scripts of npm that there are', () => {
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

  it('hold TypeScript that compiles', async () => {
    const snippets = PAGES.flatMap(snippetsOf)
    expect(snippets.length).to.be.greaterThan(15)
    expect(await wrongIn(snippets)).to.deep.equal([])
  })
})

/** Paths from the root of the project, or from the page; those with a star or a placeholder are none. */
const FILE =
  /^(?:bin|src|roles|playbooks|inventory|test|docs|scripts|examples|bench|templates|schema|man)\/[\w./-]*$|^[\w./-]+\.md$/

/** The anchors of a page's headings, as GitHub makes them. */
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
