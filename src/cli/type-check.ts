import { rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { isRecord } from '../model/fields.ts'
import { Problem } from '../model/problem.ts'
import { excerpt } from '../report/excerpt.ts'
import { plain } from '../report/problem.ts'
import { compilerOf, compilerWords, tsconfigOf, type Word } from './compiler.ts'
import type { Own } from './load.ts'

/** The first faults are enough; the rest often follow from them. */
const SHOWN = 5

interface Made {
  readonly fresh: boolean
  readonly inputs: readonly string[]
  readonly from: string
  readonly outdir: string
  readonly own: Own
}

/**
 * Running TypeScript strips its types and checks nothing, so the compiler is asked about files that are new: once after each
 * change. A project without a tsconfig.json or without the compiler is taken as it is.
 *
 * @throws Problem with the compiler's words about the files that are used
 */
export async function typeFaults({ fresh, inputs, from, outdir, own }: Made): Promise<void> {
  if (!fresh) return
  const project = tsconfigOf(from)
  const compiler = project && compilerOf(from, own)
  if (!project || !compiler) return
  const used = new Set(inputs)
  const faults = (await compilerWords(compiler, project)).filter(({ file }) => used.has(file))
  if (faults.length === 0) return
  rmSync(join(outdir, 'inputs.json'), { force: true }) // Or the next run would take it for checked.
  throw new Problem('The TypeScript compiler does not agree.', {
    details: [
      ...faults.slice(0, SHOWN).flatMap(placed),
      ...(faults.length > SHOWN ? [`… and ${faults.length - SHOWN} more`] : []),
    ],
    next: 'Nothing was done yet. Mend the types, or run with --no-type-check.',
  })
}

/** `file:1:2: …`, the file as seen from here, and the line with a mark. */
export function placed({ file, line, column, words }: Word): readonly string[] {
  const place = `${relative(process.cwd(), file)}:${line}:${column}`
  return [`${place}: ${words}`, ...excerpt(place, plain).map((text) => `  ${text}`)]
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
