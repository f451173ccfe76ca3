import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import type { PlanContent } from '../../engine/plan/plan-file.ts'
import type { SelectOptions } from '../../engine/read/selection.ts'
import { isRecord } from '../../model/inventory/fields.ts'
import { Problem } from '../../model/problem.ts'
import { playbookPath } from '../load/paths.ts'
import { templatesBeside } from '../load/templates.ts'
import { type Commit, commitOf } from './commit.ts'
import { sign, signaturePath } from './signature.ts'

/** A saved plan: the state of each host, and the files and options that it was made with. It contains no secrets and no file contents. */
export interface PlanFile extends PlanContent {
  readonly provision: 1
  readonly made: string
  readonly inventory: string
  readonly playbook: string
  readonly limit?: string
  readonly select?: SelectOptions
  /** The options of the playbook. */
  readonly args: readonly string[]
  /** The commit of the project; undefined outside of a git repository, and in plans of version 0.1.0. */
  readonly commit?: Commit
  /** The SHA-256 of each file of the project, by its path from the working directory. Undefined in plans of version 0.1.0. */
  readonly sources?: Readonly<Record<string, string>>
}

/** A plan and the bytes of its file. */
export interface ReadPlan {
  readonly path: string
  readonly content: Buffer
  readonly file: PlanFile
}

/** @throws Problem for a file that is not a plan */
export function readPlan(path: string): ReadPlan {
  if (!existsSync(path) && existsSync(playbookPath(path)))
    throw new Problem(`${path} is a playbook, not a saved plan`, { next: `To run it: provision ${path}` })
  const next = `To make a plan: provision plan --out ${path}`
  try {
    const content = readFileSync(path)
    const file: unknown = JSON.parse(content.toString())
    if (isRecord(file) && file['provision'] === 1 && isRecord(file['hosts'])) {
      // Version 0.1.0 wrote `words`.
      const args = file['args'] ?? file['words'] ?? []
      return { path, content, file: { ...file, args } as unknown as PlanFile }
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Problem(`Cannot read the plan ${path}: ${reason}`, { next })
  }
  throw new Problem(`${path} is not a saved plan`, { next })
}

/** Writes a plan, and its signature if there is a key. @throws Problem if it cannot be signed; then nothing is written */
export function writePlan(path: string, file: PlanFile, key: string | undefined): void {
  const content = Buffer.from(`${JSON.stringify(file, undefined, 1)}\n`)
  const signature = signaturePath(path)
  if (key === undefined) rmSync(signature, { force: true })
  else replaceFile(signature, sign(content, key))
  replaceFile(path, content)
}

function replaceFile(path: string, content: string | Buffer): void {
  const temporary = `${path}.${process.pid}`
  writeFileSync(temporary, content, { mode: 0o600 })
  renameSync(temporary, path)
}

/** The commit that a plan of this inventory is bound to. @throws Problem if it cannot be read, or has no commit to sign for */
export function commitFor(inventory: string, { isSigned }: { readonly isSigned: boolean }): Commit | undefined {
  const commit = commitOf(dirname(inventory))
  if (typeof commit === 'string')
    throw new Problem('The commit of the project cannot be read, so the plan cannot be bound to it', {
      details: [commit],
      next: 'Run the command where git works.',
    })
  if (isSigned && commit && commit.changed.length > 0)
    throw new Problem('The plan cannot be signed: files have changes that are not committed', {
      details: commit.changed.slice(0, SHOWN),
      next: 'Commit them first: a signed plan is bound to a commit.',
    })
  return commit
}

/** @throws Problem if the project is at another commit than the plan */
export function assertSameCommit({ commit, inventory }: PlanFile): void {
  if (commit === undefined) return
  const now = commitOf(dirname(inventory))
  if (typeof now === 'object' && now.id === commit.id) return
  const current = typeof now === 'object' ? now.id.slice(0, 12) : 'unknown'
  throw new Problem(
    `The plan was made at commit ${commit.id.slice(0, 12)}, and the current commit of the project is ${current}`,
    {
      ...(typeof now === 'string' && { details: [now] }),
      next: 'Check out that commit, or make the plan again, read it, and apply that one. Nothing was changed.',
    },
  )
}

/** @throws Problem that lists the files of the project that differ from those of the plan */
export function assertSameSources({ sources }: PlanFile, files: readonly string[]): void {
  if (sources === undefined) return
  const now = sourcesOf(files)
  const all = [...new Set([...Object.keys(sources), ...Object.keys(now)])]
  const changed = all.filter((path) => sources[path] !== now[path])
  if (changed.length === 0) return
  throw new Problem('Files of the project have changed since the plan was made', {
    details: changed.slice(0, SHOWN).concat(changed.length > SHOWN ? [`… and ${changed.length - SHOWN} more`] : []),
    next: 'Make the plan again, read it, and apply that one. Nothing was changed.',
  })
}

const SHOWN = 20

/** The SHA-256 of each of these files and of the templates beside them, without those of packages. */
export function sourcesOf(files: readonly string[]): Readonly<Record<string, string>> {
  const own = files.filter((file) => !file.includes('/node_modules/'))
  return Object.fromEntries(
    [...own, ...templatesBeside(own)].map((file) => [relative(process.cwd(), resolve(file)), hashOf(file)]),
  )
}

function hashOf(file: string): string {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex')
  } catch {
    return 'unreadable'
  }
}
