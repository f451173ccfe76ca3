import { createHash } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bundle } from '../../../bin/bundle.js'
import type { Verification } from '../../model/check/verification.ts'
import { isRecord } from '../../model/inventory/fields.ts'
import type { Inventory } from '../../model/inventory/inventory.ts'
import type { Playbook } from '../../model/playbook/playbook.ts'
import { Problem } from '../../model/problem.ts'
import { thrownAt } from '../../model/source.ts'
import { didYouMean } from '../../shell/nearest.ts'
import { formerPlaybook } from './former-names.ts'
import { inventories, playbookPath, playbooks } from './paths.ts'
import { checkTypes, notCompiled } from './type-check.ts'

/** Where our own compiled code lies, which users' files are to share with us. */
export interface Installation {
  readonly root: string
  readonly compiled: string
}

export interface LoadOptions {
  readonly inventory: string
  readonly playbook: string
  readonly own: Installation
  /** Whether the compiler looks at files that have changed since the last run. */
  readonly typeCheck: boolean
  /** Sees the playbook before the inventory is asked for, which may take its time. */
  readonly accept?: (playbook: Playbook) => Playbook
}

export interface Loaded {
  readonly inventory: Inventory
  readonly playbook: Playbook
  /** All TypeScript files that went into them. */
  readonly files: readonly string[]
}

/** The user's own files, made into JavaScript once after each change, type-checked then, and run. */
export async function load({
  inventory,
  playbook,
  own,
  typeCheck,
  accept = (one) => one,
}: LoadOptions): Promise<Loaded> {
  const paths = {
    inventory: existingFile(inventory, 'inventory'),
    playbook: existingFile(playbook, 'playbook'),
  }
  const { outdir, inputs } = await compileChecked(paths, own, typeCheck)
  const accepted = accept(await importPlaybook(outdir, paths.playbook))
  return { inventory: await importInventory(outdir, paths.inventory), playbook: accepted, files: inputs }
}

/** {@link load}, for what is only asked. */
export async function loadVerification({
  inventory,
  verification,
  own,
  typeCheck,
}: Pick<LoadOptions, 'inventory' | 'own' | 'typeCheck'> & { readonly verification: string }): Promise<{
  readonly inventory: Inventory
  readonly verification: Verification
}> {
  const paths = {
    inventory: existingFile(inventory, 'inventory'),
    verification: existingFile(verification, 'verification'),
  }
  const { outdir } = await compileChecked(paths, own, typeCheck)
  const found = await importVerification(outdir, paths.verification)
  return { inventory: await importInventory(outdir, paths.inventory), verification: found }
}

/** {@link load}, for what needs no playbook. */
export async function loadInventory({
  inventory,
  own,
  typeCheck,
}: Pick<LoadOptions, 'inventory' | 'own' | 'typeCheck'>): Promise<Inventory> {
  const paths = { inventory: existingFile(inventory, 'inventory') }
  const { outdir } = await compileChecked(paths, own, typeCheck)
  return importInventory(outdir, paths.inventory)
}

/** The JavaScript of these files. @throws Problem with the compiler's words about them, when it is asked */
async function compileChecked(
  paths: Readonly<Record<'inventory', string>>,
  own: Installation,
  typeCheck: boolean,
): Promise<CompiledFiles> {
  const made = await compile(paths, own)
  if (typeCheck) await checkTypes({ ...made, from: paths.inventory, own })
  return made
}

/** A playbook by itself, as it is. */
export async function loadPlaybook(path: string, own: Installation): Promise<Playbook> {
  const paths = { playbook: existingFile(path, 'playbook') }
  const { outdir } = await compile(paths, own)
  return importPlaybook(outdir, paths.playbook)
}

export interface CompiledFiles {
  readonly outdir: string
  readonly fresh: boolean
  /** All files that went into it. */
  readonly inputs: readonly string[]
}

/** Makes JavaScript of these files and all that they import, unless that was done already. */
export async function compile(
  paths: Readonly<Record<string, string>>,
  own: Installation,
): Promise<CompiledFiles> {
  const key = createHash('sha256').update(JSON.stringify(paths)).digest('hex').slice(0, 12)
  const outdir = join(cacheDirectory(Object.values(paths)[0] ?? '.'), key)
  const entries = ['ansible', 'lab', 'pki'].map((name) => [
    `provision-ts/${name}`,
    `${own.compiled}${name}.js`,
  ])
  const alias = { 'provision-ts': `${own.compiled}index.js`, ...Object.fromEntries(entries) }
  const made = await bundle({ entries: paths, outdir, alias }).catch((error: unknown) => {
    throw notCompiled(error)
  })
  return { outdir, ...made }
}

export async function importInventory(outdir: string, path: string): Promise<Inventory> {
  const given = await defaultExport(join(outdir, 'inventory.js'), path)
  const made: unknown = typeof given === 'function' ? await runUserCode(path, given as () => unknown) : given
  if (isRecord(made) && made['type'] === 'inventory') return made as unknown as Inventory
  throw new Problem(`${relativePath(path)} does not export an inventory`, {
    next: 'It should have: export default inventory(…), or a function that gives one.',
  })
}

export async function importPlaybook(outdir: string, path: string): Promise<Playbook> {
  const given = await defaultExport(join(outdir, 'playbook.js'), path)
  if (isRecord(given) && given['type'] === 'playbook') return given as unknown as Playbook
  throw new Problem(`${relativePath(path)} does not export a playbook`, {
    next: 'It should have: export default playbook(…).',
  })
}

export async function importVerification(outdir: string, path: string): Promise<Verification> {
  const given = await defaultExport(join(outdir, 'verification.js'), path)
  if (isRecord(given) && given['type'] === 'verification') return given as unknown as Verification
  throw new Problem(`${relativePath(path)} does not export a verification`, {
    next: 'It should have: export default verification(…).',
  })
}

async function defaultExport(compiled: string, path: string): Promise<unknown> {
  const module: unknown = await runUserCode(path, () => import(pathToFileURL(compiled).href))
  return isRecord(module) ? module['default'] : undefined
}

/** What users' code throws is theirs, unless it is a Problem already. */
async function runUserCode<T>(path: string, body: () => T | Promise<T>): Promise<T> {
  try {
    return await body()
  } catch (error) {
    if (error instanceof Problem) throw error
    const where = thrownAt(error)
    throw new Problem(
      `${relativePath(path)} could not be run: ${error instanceof Error ? error.message : String(error)}`,
      { ...(where && { where }), cause: error },
    )
  }
}

export function existingFile(path: string, what: string): string {
  const full = resolve(path)
  if (existsSync(full)) {
    if (what === 'inventory') assertModule(full)
    return full
  }
  const near = what === 'inventory' ? inventories() : [...playbooks(), ...playbooks().map(playbookPath)]
  const typed = what === 'inventory' ? path : path.replace(/^playbooks\/([^/]+)\.ts$/, '$1')
  throw new Problem(`There is no ${what} ${relativePath(full)}`, {
    next:
      formerPlaybook(typed) ??
      didYouMean(typed, near) ??
      `Give the path of a TypeScript file; ${what === 'inventory' ? '--inventory inventory/lab.ts, for example' : `playbooks/${what === 'verification' ? 'verify' : 'site'}.ts is taken unless told otherwise`}.`,
  })
}

/** An inventory is a module; a folder or another kind of file is most often one of Ansible. */
function assertModule(path: string): void {
  const folder = statSync(path).isDirectory()
  if (!folder && /\.[cm]?[jt]sx?$/.test(path)) return
  throw new Problem(
    `${relativePath(path)} is ${folder ? 'a folder' : 'no TypeScript file'}; an inventory is a TypeScript file.`,
    {
      details: [`const ansible = await fromAnsible('${relativePath(path)}', stack)`],
      next: 'If it is an inventory of Ansible, read it with this line in inventory/NAME.ts; see docs/from-ansible.md.',
    },
  )
}

export function relativePath(path: string): string {
  const near = relative(process.cwd(), path)
  return near.startsWith('..') ? path : near
}

/** Beside the packages of the project, so that what its files import is found from there too. */
export function cacheDirectory(path: string): string {
  for (let at = dirname(path); at !== dirname(at); at = dirname(at)) {
    if (existsSync(join(at, 'node_modules'))) return join(at, 'node_modules/.cache/provision')
  }
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'provision')
}
