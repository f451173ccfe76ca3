import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Installation } from './load/paths.ts'

interface Scaffolding {
  /** A directory in `templates/` of this package. */
  readonly template: string
  readonly to: string
  /** Applied to the paths and the contents of all files. */
  readonly rename?: (text: string) => string
}

interface Scaffolded {
  readonly created: readonly string[]
  /** Files that existed before; they are unchanged. */
  readonly existing: readonly string[]
}

/** Writes the files of a template; existing files are not changed. */
export function scaffold(
  { template, to, rename = (text) => text }: Scaffolding,
  installation: Installation,
): Scaffolded {
  const created: string[] = []
  const existing: string[] = []
  for (const [path, text] of templateFiles(template, installation)) {
    const target = rename(path)
    const isNew = writeNew(join(to, target), rename(text))
    ;(isNew ? created : existing).push(target)
  }
  return { created, existing }
}

/** The files of a template: path in the project, and content. */
export function templateFiles(
  template: string,
  { root }: Installation,
): readonly (readonly [path: string, text: string])[] {
  const directory = join(root, 'templates', template)
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort()
    .map((file) => {
      const path = file.slice(directory.length + 1)
      return [RENAMED[path] ?? path, readFileSync(file, 'utf8')]
    })
}

/** Under these names, npm, mocha and the compiler would use the files in this package. */
const RENAMED: Readonly<Record<string, string>> = {
  _gitignore: '.gitignore',
  '_mocharc.json': '.mocharc.json',
  '_package.json': 'package.json',
  '_tsconfig.json': 'tsconfig.json',
}

function writeNew(path: string, text: string): boolean {
  mkdirSync(dirname(path), { recursive: true })
  try {
    writeFileSync(path, text, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Lists the created files and the next steps. */
export function scaffoldedText({ created, existing }: Scaffolded, next: readonly string[]): string {
  return [
    ...section('Created:', created),
    ...section('Exists, not changed:', existing),
    ...section('Next:', next),
    '',
  ].join('\n')
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)]
}
