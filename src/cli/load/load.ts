import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bundle } from '../../../bin/bundle.js'
import type { Verification } from '../../model/check/verification.ts'
import { isRecord } from '../../model/inventory/fields.ts'
import type { Inventory } from '../../model/inventory/inventory.ts'
import type { Playbook } from '../../model/playbook/playbook.ts'
import { Problem } from '../../model/problem.ts'
import { thrownAt } from '../../model/source.ts'
import { storeHostNames } from './host-names.ts'
import { existingFile, type Installation, relativePath } from './paths.ts'
import { checkTypes, syntaxError } from './type-check.ts'

export interface LoadOptions {
  readonly inventory: string
  readonly playbook: string
  readonly installation: Installation
  /** True to run the TypeScript compiler on files that have changed since the last check. */
  readonly typeCheck: boolean
  /** Transforms the playbook before the inventory runs, which may take time. */
  readonly accept?: (playbook: Playbook) => Playbook
}

export interface Loaded {
  readonly inventory: Inventory
  readonly playbook: Playbook
  /** All source files of both. */
  readonly files: readonly string[]
}

/** Compiles an inventory and a playbook, checks their types and imports them. */
export async function load({
  inventory,
  playbook,
  installation,
  typeCheck,
  accept = (one) => one,
}: LoadOptions): Promise<Loaded> {
  const paths = {
    inventory: existingFile(inventory, 'inventory'),
    playbook: existingFile(playbook, 'playbook'),
  }
  const { outdir, inputs } = await compileChecked(paths, installation, typeCheck)
  const accepted = accept(await importPlaybook(outdir, paths.playbook))
  return { inventory: await importInventory(outdir, paths.inventory), playbook: accepted, files: inputs }
}

/** Loads an inventory and a verification. */
export async function loadVerification({
  inventory,
  verification,
  installation,
  typeCheck,
}: Omit<LoadOptions, 'playbook' | 'accept'> & { readonly verification: string }): Promise<{
  readonly inventory: Inventory
  readonly verification: Verification
}> {
  const paths = {
    inventory: existingFile(inventory, 'inventory'),
    verification: existingFile(verification, 'verification'),
  }
  const { outdir } = await compileChecked(paths, installation, typeCheck)
  const imported = await importVerification(outdir, paths.verification)
  return { inventory: await importInventory(outdir, paths.inventory), verification: imported }
}

/** Loads an inventory alone. */
export async function loadInventory({
  inventory,
  installation,
  typeCheck,
}: Omit<LoadOptions, 'playbook' | 'accept'>): Promise<Inventory> {
  const paths = { inventory: existingFile(inventory, 'inventory') }
  const { outdir } = await compileChecked(paths, installation, typeCheck)
  return importInventory(outdir, paths.inventory)
}

/** Loads a playbook alone, without type check. */
export async function loadPlaybook(path: string, installation: Installation): Promise<Playbook> {
  const paths = { playbook: existingFile(path, 'playbook') }
  const { outdir } = await compile(paths, installation)
  return importPlaybook(outdir, paths.playbook)
}

/** @throws Problem with the errors of the TypeScript compiler */
async function compileChecked(
  paths: Readonly<Record<'inventory', string>>,
  installation: Installation,
  typeCheck: boolean,
): Promise<CompiledFiles> {
  const compiled = await compile(paths, installation)
  if (typeCheck) await checkTypes({ ...compiled, from: paths.inventory, installation })
  return compiled
}

export interface CompiledFiles {
  readonly outdir: string
  /** True if the files were compiled now, false if they have not changed since the last time. */
  readonly fresh: boolean
  /** All source files, with those that the entries import. */
  readonly inputs: readonly string[]
}

/** Compiles files and all that they import, unless nothing has changed. */
export async function compile(
  paths: Readonly<Record<string, string>>,
  { compiled }: Installation,
): Promise<CompiledFiles> {
  const key = createHash('sha256').update(JSON.stringify(paths)).digest('hex').slice(0, 12)
  const outdir = join(cacheDirectory(Object.values(paths)[0] ?? '.'), key)
  const entries = ['ansible', 'lab', 'pki'].map((name) => [`provision-ts/${name}`, `${compiled}${name}.js`])
  const alias = { 'provision-ts': `${compiled}index.js`, ...Object.fromEntries(entries) }
  const result = await bundle({ entries: paths, outdir, alias }).catch((error: unknown) => {
    throw syntaxError(error)
  })
  return { outdir, ...result }
}

export async function importInventory(outdir: string, path: string): Promise<Inventory> {
  const exported = await defaultExport(join(outdir, 'inventory.js'), path)
  const value: unknown =
    typeof exported === 'function' ? await runUserCode(path, exported as () => unknown) : exported
  if (!isRecord(value) || value['type'] !== 'inventory')
    throw wrongExport(path, 'an inventory', 'inventory(…), or a function that returns one')
  const inventory = value as unknown as Inventory
  storeHostNames(cacheDirectory(path), path, inventory)
  return inventory
}

export async function importPlaybook(outdir: string, path: string): Promise<Playbook> {
  const value = await defaultExport(join(outdir, 'playbook.js'), path)
  if (isRecord(value) && value['type'] === 'playbook') return value as unknown as Playbook
  throw wrongExport(path, 'a playbook', 'playbook(…)')
}

export async function importVerification(outdir: string, path: string): Promise<Verification> {
  const value = await defaultExport(join(outdir, 'verification.js'), path)
  if (isRecord(value) && value['type'] === 'verification') return value as unknown as Verification
  throw wrongExport(path, 'a verification', 'verification(…)')
}

function wrongExport(path: string, kind: string, expected: string): Problem {
  return new Problem(`${relativePath(path)} does not export ${kind}`, {
    next: `It must have: export default ${expected}.`,
  })
}

async function defaultExport(compiled: string, path: string): Promise<unknown> {
  const module: unknown = await runUserCode(path, () => import(pathToFileURL(compiled).href))
  return isRecord(module) ? module['default'] : undefined
}

/** Turns errors of user code into a Problem with their place. */
async function runUserCode<T>(path: string, body: () => T | Promise<T>): Promise<T> {
  try {
    return await body()
  } catch (error) {
    if (error instanceof Problem) throw error
    const where = thrownAt(error)
    throw new Problem(
      `${relativePath(path)} failed: ${error instanceof Error ? error.message : String(error)}`,
      { ...(where && { where }), cause: error },
    )
  }
}

/** In node_modules of the project: its compiled files resolve packages from there. */
export function cacheDirectory(path: string): string {
  for (let at = dirname(path); at !== dirname(at); at = dirname(at)) {
    if (existsSync(join(at, 'node_modules'))) return join(at, 'node_modules/.cache/provision')
  }
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'provision')
}
