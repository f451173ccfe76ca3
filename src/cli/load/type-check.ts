import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { isRecord } from '../../model/inventory/fields.ts'
import { Problem } from '../../model/problem.ts'
import { excerpt, plain } from '../../report/problem.ts'
import { type CompilerError, findCompiler, findTsconfig } from './compiler.ts'
import type { Installation } from './paths.ts'
import { projectErrors, templatesBeside } from './templates.ts'

/** The maximum number of errors shown: later ones often follow from the first. */
const SHOWN = 5

interface CheckedFiles {
  readonly inputs: readonly string[]
  readonly from: string
  readonly outdir: string
  readonly installation: Installation
}

/**
 * Runs the TypeScript compiler, because compiling the files only strips their types. It runs once after each change of a file or of a
 * template beside one, and only in projects that have a tsconfig.json and the compiler.
 *
 * @throws Problem with the errors in the files that are used and in their templates
 */
export async function checkTypes({ inputs, from, outdir, installation }: CheckedFiles): Promise<void> {
  const tsconfig = findTsconfig(from)
  const compiler = tsconfig && findCompiler(from, installation)
  if (!tsconfig || !compiler) return
  const root = dirname(tsconfig)
  const files = inputs.filter((file) => file.startsWith(`${root}/`) && !file.includes('/node_modules/'))
  const used = [...inputs, ...templatesBeside(files)]
  const stampFile = join(outdir, 'types-checked')
  const stamp = stampOf([...used, tsconfig, compiler])
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return
  // Runs of the same project may start at the same time.
  const scratch = join(outdir, `types-${process.pid}`)
  try {
    const { errors } = await projectErrors({ root, tsconfig, compiler, files, scratch, installation })
    const relevant = errors.filter(({ file }) => used.includes(file))
    if (relevant.length > 0) throw typeErrors(relevant)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
  writeFileSync(stampFile, stamp)
}

function typeErrors(errors: readonly CompilerError[]): Problem {
  return new Problem('The TypeScript compiler found errors', {
    details: [
      ...errors.slice(0, SHOWN).flatMap(formatError),
      ...(errors.length > SHOWN ? [`… and ${errors.length - SHOWN} more`] : []),
    ],
    next: 'Nothing was done. Fix them, or run with --no-type-check.',
  })
}

/** Changes if one of the files changes. */
function stampOf(paths: readonly string[]): string {
  const hash = createHash('sha256')
  for (const path of paths) {
    const stat = statSync(path, { throwIfNoEntry: false })
    hash.update(`${path} ${stat?.mtimeMs} ${stat?.size}\n`)
  }
  return hash.digest('hex')
}

/** At most five lines: `file:1:2: …`, the cause, the source line with a mark, and a hint. */
export function formatError({ file, line, column, message, cause, hint }: CompilerError): readonly string[] {
  const place = `${relative(process.cwd(), file)}:${line}:${column}`
  const below = [...(cause ? [cause] : []), ...excerpt(place, plain), ...(hint ? [hint] : [])]
  return [`${place}: ${message}`, ...below.map((text) => `  ${text}`)]
}

/** Converts the errors of esbuild, which compiles the files, to a Problem. Other errors are returned unchanged. */
export function syntaxError(error: unknown): unknown {
  const errors = isRecord(error) || error instanceof Error ? (error as { errors?: unknown }).errors : undefined
  if (!Array.isArray(errors)) return error
  const [first] = errors as readonly {
    readonly text: string
    readonly location: { file: string; line: number; column: number } | null
  }[]
  const at = first?.location
  return new Problem(`${at?.file ?? 'A file'} cannot be compiled: ${first?.text ?? String(error)}`, {
    ...(at && { where: `${at.file}:${at.line}:${at.column + 1}` }),
    next: 'Nothing was done.',
  })
}
