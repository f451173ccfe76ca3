import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import type { Installation } from './load.ts'

/** An error of the compiler at a place. */
export interface CompilerError {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly message: string
  /** The cause that the compiler found at the end of its chain, if it gave one. */
  readonly cause?: string
  readonly hint?: string
}

/** The compiler's errors about a project, the file names whole, each error once. */
export async function compilerErrors(compiler: string, project: string): Promise<readonly CompilerError[]> {
  const { execa } = await import('execa')
  const cwd = dirname(project)
  // Only the pretty form has the hints. The colours have to be asked for, and are taken away again.
  const words = [compiler, '-p', project, '--noEmit', '--pretty', 'true']
  const { stdout } = await execa(process.execPath, words, { reject: false, cwd })
  return parseErrors(stripVTControlCharacters(stdout), project)
}

/** What the pretty form of the compiler's output says. Errors about the settings stand at the start of `project`. */
export function parseErrors(output: string, project: string): readonly CompilerError[] {
  const found = new Map<string, CompilerError>()
  for (const block of output.split(START)) {
    const [first = '', ...lines] = block.split(/\r?\n/)
    const head = HEAD.exec(first)
    if (!head) continue
    const [, file, line = '1', column = '1', words = ''] = head
    const end = lines.findIndex((one) => !/^ {2,}\S/.test(one))
    const chain = lines.slice(0, end < 0 ? undefined : end).map((one) => one.trim())
    const [, hint] = /^.*?(Did you (?:forget|mean) .*)$/m.exec(lines.slice(chain.length).join('\n')) ?? []
    const word: CompilerError = {
      file: file === undefined ? project : resolve(dirname(project), file),
      line: Number(line),
      column: Number(column),
      ...said(words, chain, hint),
    }
    found.set(JSON.stringify([word.file, word.line, word.column, word.message, word.cause]), word)
  }
  return [...found.values()]
}

const START = /^(?=(?:\S.*?:\d+:\d+ - )?error TS\d+: )/m
const HEAD = /^(?:(\S.*?):(\d+):(\d+) - )?error TS\d+: (.*)$/

/** Sentences of `InventoryError` (src/model/inventory/inventory-types.ts) stand for the whole error; of other chains the first and the last link are kept. */
function said(
  words: string,
  chain: readonly string[],
  hint: string | undefined,
): Omit<CompilerError, 'file' | 'line' | 'column'> {
  const text = [words, ...chain].join('\n')
  const sentences = [...new Set([...text.matchAll(/InventoryError<"([^"]+)">/g)].map(([, one = '']) => one))]
  if (sentences.length > 0) return { message: sentences.join('; ') }
  const path = chain.flatMap(
    (one) => /^(?:Types of property|The types of) '([^']+)' are incompatible/.exec(one)?.[1] ?? [],
  )
  const last = chain.at(-1)
  const cause =
    last === undefined ? undefined : `${path.length > 0 ? `${path.join('.')}: ` : ''}${shortened(last)}`
  const isPromise = /Type '(?:Promise<|\{ then<)/.test(text)
  const advice = hint ?? (isPromise ? "Did you forget to use 'await'?" : undefined)
  return { message: shortened(words), ...(cause && { cause }), ...(advice && { hint: advice }) }
}

/** Types of many lines hide what is said about them. */
function shortened(words: string): string {
  return words.replace(/'([^']{81,})'/g, (_, type: string) => `'${type.slice(0, 60)}…'`)
}

/** The nearest tsconfig.json at or above a file. */
export function findTsconfig(from: string): string | undefined {
  for (let at = dirname(from); at !== dirname(at); at = dirname(at)) {
    if (existsSync(join(at, 'tsconfig.json'))) return join(at, 'tsconfig.json')
  }
  return undefined
}

/** The compiler of the project, or else our own. */
export function findCompiler(from: string, { root }: Installation): string | undefined {
  for (const base of [from, join(root, 'package.json')]) {
    try {
      return join(dirname(createRequire(base).resolve('typescript/package.json')), 'bin/tsc')
    } catch {
      // Not among the packages that are seen from there.
    }
  }
  return undefined
}
