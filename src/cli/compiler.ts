import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import type { Own } from './load.ts'

/** A word of the compiler about a place. */
export interface Word {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly words: string
}

/** The compiler's words about a project, the file names whole. */
export async function compilerWords(compiler: string, project: string): Promise<readonly Word[]> {
  const { execa } = await import('execa')
  const { stdout } = await execa(
    process.execPath,
    [compiler, '-p', project, '--noEmit', '--pretty', 'false'],
    { reject: false, cwd: dirname(project) },
  )
  return stdout.split('\n').flatMap((line) => {
    const [, file = '', row, column, words = ''] = /^(.*)\((\d+),(\d+)\): error TS\d+: (.*)$/.exec(line) ?? []
    const [, general] = /^error TS\d+: (.*)$/.exec(line) ?? []
    if (general !== undefined) return [{ file: project, line: 1, column: 1, words: general }]
    return file === ''
      ? []
      : [{ file: resolve(dirname(project), file), line: Number(row), column: Number(column), words }]
  })
}

/** The nearest tsconfig.json at or above a file. */
export function tsconfigOf(from: string): string | undefined {
  for (let at = dirname(from); at !== dirname(at); at = dirname(at)) {
    if (existsSync(join(at, 'tsconfig.json'))) return join(at, 'tsconfig.json')
  }
  return undefined
}

/** The compiler of the project, or else our own. */
export function compilerOf(from: string, { root }: Own): string | undefined {
  for (const base of [from, join(root, 'package.json')]) {
    try {
      return join(dirname(createRequire(base).resolve('typescript/package.json')), 'bin/tsc')
    } catch {
      // Not among the packages that are seen from there.
    }
  }
  return undefined
}
