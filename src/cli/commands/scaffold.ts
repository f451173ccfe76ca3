import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Installation } from '../load/load.ts'

interface Scaffolding {
  /** A folder below `templates/` of our package. */
  readonly template: string
  readonly to: string
  /** Applied to the paths and the texts of all files. */
  readonly reworded?: (text: string) => string
}

export interface Scaffolded {
  readonly made: readonly string[]
  /** They were there already, and are left as they were. */
  readonly there: readonly string[]
}

/** Writes the files of a template, each only where there is none of that name. */
export function scaffold(
  { template, to, reworded = (text) => text }: Scaffolding,
  own: Installation,
): Scaffolded {
  const made: string[] = []
  const there: string[] = []
  for (const [path, text] of templateFiles(template, own)) {
    const place = reworded(path)
    const isNew = putNew(join(to, place), reworded(text))
    ;(isNew ? made : there).push(place)
  }
  return { made, there }
}

/** Each file of a template by the path that it is to have. */
export function templateFiles(
  template: string,
  { root }: Installation,
): readonly (readonly [string, string])[] {
  const folder = join(root, 'templates', template)
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort()
    .map((file) => {
      const path = file.slice(folder.length + 1)
      return [RENAMED[path] ?? path, readFileSync(file, 'utf8')]
    })
}

/** npm, mocha and the compiler give files of these names a meaning wherever they lie. */
const RENAMED: Readonly<Record<string, string>> = {
  _gitignore: '.gitignore',
  '_mocharc.json': '.mocharc.json',
  '_package.json': 'package.json',
  '_tsconfig.json': 'tsconfig.json',
}

function putNew(path: string, text: string): boolean {
  mkdirSync(dirname(path), { recursive: true })
  try {
    writeFileSync(path, text, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** What was made and what not, and how to go on. */
export function scaffoldedText({ made, there }: Scaffolded, next: readonly string[]): string {
  return [
    ...listed('Made:', made),
    ...listed('Already there, and left as it was:', there),
    ...listed('Next:', next),
    '',
  ].join('\n')
}

function listed(head: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [head, ...lines.map((line) => `  ${line}`)]
}
