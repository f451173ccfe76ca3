import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { isRecord } from '../../model/inventory/fields.ts'
import { Problem } from '../../model/problem.ts'
import { excerpt, plain } from '../../report/problem.ts'
import { type CompilerError, findCompiler, findTsconfig } from './compiler.ts'
import type { Installation } from './load.ts'
import { projectErrors, templatesBeside } from './templates.ts'

/** The first faults are enough; the rest often follow from them. */
const SHOWN = 5

interface Made {
  readonly inputs: readonly string[]
  readonly from: string
  readonly outdir: string
  readonly own: Installation
}

/**
 * Running TypeScript strips its types and checks nothing, so the compiler is asked about files that are new: once after each
 * change of a file or of a template beside one. A project without a tsconfig.json or without the compiler is taken as it is.
 *
 * @throws Problem with the compiler's errors in the files that are used, and in their templates
 */
export async function checkTypes({ inputs, from, outdir, own }: Made): Promise<void> {
  const project = findTsconfig(from)
  const compiler = project && findCompiler(from, own)
  if (!project || !compiler) return
  const root = dirname(project)
  const files = inputs.filter((file) => file.startsWith(`${root}/`) && !file.includes('/node_modules/'))
  const used = [...inputs, ...templatesBeside(files)]
  const note = join(outdir, 'types-checked')
  const stamp = stampOf([...used, project, compiler])
  if (existsSync(note) && readFileSync(note, 'utf8') === stamp) return
  // Of its own, since runs of one project may begin at the same time.
  const scratch = join(outdir, `types-${process.pid}`)
  try {
    const ownSources = !own.compiled.endsWith('/dist/src/')
    const { faults } = await projectErrors({ root, tsconfig: project, compiler, files, scratch, ownSources })
    const known = new Set(used)
    const theirs = faults.filter(({ file }) => known.has(file))
    if (theirs.length > 0) throw disagreement(theirs)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
  writeFileSync(note, stamp)
}

function disagreement(faults: readonly CompilerError[]): Problem {
  return new Problem('The TypeScript compiler does not agree.', {
    details: [
      ...faults.slice(0, SHOWN).flatMap(formatError),
      ...(faults.length > SHOWN ? [`… and ${faults.length - SHOWN} more`] : []),
    ],
    next: 'Nothing was done yet. Mend the types, or run with --no-type-check.',
  })
}

/** Changes when one of these files does. */
function stampOf(paths: readonly string[]): string {
  const hash = createHash('sha256')
  for (const path of paths) {
    const stat = statSync(path, { throwIfNoEntry: false })
    hash.update(`${path} ${stat?.mtimeMs} ${stat?.size}\n`)
  }
  return hash.digest('hex')
}

/** At most five lines: `file:1:2: …`, the file as seen from here, the cause, the line with a mark, and a hint. */
export function formatError({ file, line, column, message, cause, hint }: CompilerError): readonly string[] {
  const place = `${relative(process.cwd(), file)}:${line}:${column}`
  const below = [...(cause ? [cause] : []), ...excerpt(place, plain), ...(hint ? [hint] : [])]
  return [`${place}: ${message}`, ...below.map((text) => `  ${text}`)]
}

/** A file that is no TypeScript at all: esbuild's words, in our form. */
export function notCompiled(error: unknown): unknown {
  const errors =
    isRecord(error) || error instanceof Error ? (error as { errors?: unknown }).errors : undefined
  if (!Array.isArray(errors)) return error
  const faults = errors as readonly {
    readonly text: string
    readonly location: { file: string; line: number; column: number; lineText: string } | null
  }[]
  const [first] = faults
  const at = first?.location
  return new Problem(`${at?.file ?? 'A file'} could not be read: ${first?.text ?? String(error)}`, {
    ...(at && {
      where: `${at.file}:${at.line}:${at.column + 1}`,
    }),
    next: 'Nothing was done yet.',
  })
}
