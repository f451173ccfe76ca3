import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { Problem } from '../../model/problem.ts'
import type { Installation } from './paths.ts'

/** An error of the TypeScript compiler. */
export interface CompilerError {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly message: string
  /** The last link of the compiler's chain of reasons. */
  readonly cause?: string
  readonly hint?: string
}

/** Runs the compiler on a project. @returns each error once, with absolute file names */
export async function compilerErrors(compiler: string, project: string): Promise<readonly CompilerError[]> {
  // Only the pretty format has hints.
  const args = [compiler, '-p', project, '--noEmit', '--pretty', 'true']
  const { failed, output } = await run(args, dirname(project))
  const errors = parseErrors(stripVTControlCharacters(output), project)
  if (failed && errors.length === 0)
    throw new Problem('The TypeScript compiler failed', { details: output.trim().split('\n').slice(-5) })
  return errors
}

function run(args: readonly string[], cwd: string): Promise<{ failed: boolean; output: string }> {
  return new Promise((done) => {
    execFile(process.execPath, args, { cwd, maxBuffer: Infinity }, (error, stdout, stderr) =>
      done({ failed: error !== null, output: stdout + stderr }),
    )
  })
}

/** Parses the pretty output of the compiler. Errors in the settings are placed at the start of `project`. */
function parseErrors(output: string, project: string): readonly CompilerError[] {
  const errors = new Map<string, CompilerError>()
  for (const block of output.split(START)) {
    const [first = '', ...lines] = block.split(/\r?\n/)
    const head = HEAD.exec(first)
    if (!head) continue
    const [, file, line = '1', column = '1', message = ''] = head
    const end = lines.findIndex((one) => !/^ {2,}\S/.test(one))
    const chain = lines.slice(0, end < 0 ? undefined : end).map((one) => one.trim())
    const [, hint] = /^.*?(Did you (?:forget|mean) .*)$/m.exec(lines.slice(chain.length).join('\n')) ?? []
    const error: CompilerError = {
      file: file === undefined ? project : resolve(dirname(project), file),
      line: Number(line),
      column: Number(column),
      ...summary(message, chain, hint),
    }
    errors.set(JSON.stringify([error.file, error.line, error.column, error.message, error.cause]), error)
  }
  return [...errors.values()]
}

const START = /^(?=(?:\S.*?:\d+:\d+ - )?error TS\d+: )/m
const HEAD = /^(?:(\S.*?):(\d+):(\d+) - )?error TS\d+: (.*)$/

/** Keeps the texts of `InventoryError` (src/model/given.ts) alone; of other chains the first and the last link. */
function summary(
  message: string,
  chain: readonly string[],
  hint: string | undefined,
): Pick<CompilerError, 'message' | 'cause' | 'hint'> {
  const text = [message, ...chain].join('\n')
  const own = [...new Set([...text.matchAll(/InventoryError<"([^"]+)">/g)].map(([, one = '']) => one))]
  if (own.length > 0) return { message: own.join('; ') }
  const path = chain.flatMap(
    (one) => /^(?:Types of property|The types of) '([^']+)' are incompatible/.exec(one)?.[1] ?? [],
  )
  const last = chain.at(-1)
  const cause = last === undefined ? undefined : `${path.length > 0 ? `${path.join('.')}: ` : ''}${shortened(last)}`
  const isPromise = /Type '(?:Promise<|\{ then<)/.test(text)
  const advice = hint ?? (isPromise ? "Did you forget to use 'await'?" : undefined)
  return { message: shortened(message), ...(cause && { cause }), ...(advice && { hint: advice }) }
}

function shortened(text: string): string {
  return text.replace(/'([^']{81,})'/g, (_, type: string) => `'${type.slice(0, 60)}…'`)
}

/** The nearest tsconfig.json in the directory of a file or above it. */
export function findTsconfig(from: string): string | undefined {
  for (let at = dirname(from); at !== dirname(at); at = dirname(at)) {
    if (existsSync(join(at, 'tsconfig.json'))) return join(at, 'tsconfig.json')
  }
  return undefined
}

/** The compiler of the project, otherwise that of this package. */
export function findCompiler(from: string, { root }: Installation): string | undefined {
  for (const base of [from, join(root, 'package.json')]) {
    try {
      return join(dirname(createRequire(base).resolve('typescript/package.json')), 'bin/tsc')
    } catch {
      // Not installed there.
    }
  }
  return undefined
}
