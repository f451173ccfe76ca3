import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './exports.ts'
import type { Snippet } from './snippets.ts'

/** A documentation page: its path from the root of the project, and its text. */
export interface Page {
  readonly path: string
  readonly text: string
}

/** All pages except the changelog, which names previous states. */
export const PAGES: readonly Page[] = [
  'README.md',
  'CONTRIBUTING.md',
  ...['docs', 'roles'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
      .map((name) => `${folder}/${name}`),
  ),
].map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))

/**
 * Returns the TypeScript of a page. A block that begins with `// some/path.ts` is that file, and other files of the page may import
 * it. Of an excerpt, which contains `// …`, only the imports remain.
 */
export function snippetsOf({ path, text }: Page): readonly Snippet[] {
  return fencesOf(text)
    .filter(({ language }) => language === 'ts')
    .map(({ line, code }): Snippet => {
      const [, file] = /^\/\/ (\S+\.ts)\n/.exec(code) ?? []
      const excerpt = /^ *\/\/ …/m.test(code)
      return {
        where: `${path}:${line}`,
        code: excerpt ? (code.match(/^import .*$/gm) ?? []).join('\n') : code,
        ...(file !== undefined && { file: { folder: path.replaceAll(/\W/g, '-'), path: file } }),
      }
    })
}

/** Returns shell lines: whole code blocks, and texts in backticks. */
export function commandLinesOf({ text }: Page): readonly string[] {
  const prose = text.replace(FENCE, '')
  return [
    ...fencesOf(text)
      .filter(({ language }) => ['', 'sh', 'console'].includes(language))
      .flatMap(({ code }) => code.split('\n')),
    ...prose.split('\n').filter((line) => line.startsWith('    ')),
    ...inBackticks(text),
  ].map((line) => line.trim())
}

/** Returns the texts in backticks, without code blocks. */
export function inBackticks(text: string): readonly string[] {
  return [...text.replace(FENCE, '').matchAll(/`([^`\n]+)`/g)].map(([, inner = '']) => inner)
}

const FENCE = /^```(\w*).*\n([\s\S]*?)^```$/gm

function fencesOf(text: string) {
  return [...text.matchAll(FENCE)].map(({ 1: language = '', 2: code = '', index }) => ({
    language,
    code,
    line: text.slice(0, index).split('\n').length,
  }))
}
