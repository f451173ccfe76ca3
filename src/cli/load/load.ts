import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
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
import { existingFile, type Installation, relativePath } from './paths.ts'
import { checkTypes, syntaxError } from './type-check.ts'

/** The values that a file can export, by `type`. */
interface Exports {
  readonly inventory: Inventory
  readonly playbook: Playbook
  readonly verification: Verification
}

type Kind = keyof Exports

export type Loaded<K extends Kind> = Pick<Exports, K> & {
  /** All source files. */
  readonly files: readonly string[]
}

export interface LoadOptions {
  readonly installation: Installation
  /** True to run the TypeScript compiler on files that have changed since the last check. */
  readonly typeCheck: boolean
  /** Transforms the playbook before the inventory runs, which may take time. */
  readonly accept?: (playbook: Playbook) => Playbook
}

/**
 * Compiles files, checks their types and imports them.
 *
 * @example await load({ inventory: 'inventory/lab.ts', playbook: 'playbooks/site.ts' }, options)
 */
export async function load<K extends Kind>(
  paths: Readonly<Record<K, string>>,
  { installation, typeCheck, accept = (playbook) => playbook }: LoadOptions,
): Promise<Loaded<K>> {
  const kinds = (Object.keys(paths) as K[]).sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b))
  const full = Object.fromEntries(kinds.map((kind) => [kind, existingFile(paths[kind], kind)]))
  const { outdir, inputs } = await compile(full, installation)
  const [from = ''] = Object.values(full)
  if (typeCheck) await checkTypes({ inputs, outdir, from, installation })
  const loaded: Partial<Record<Kind, unknown>> = {}
  for (const kind of kinds.toReversed()) {
    const value = await importDefault(outdir, kind, full[kind] ?? '')
    loaded[kind] = kind === 'playbook' ? accept(value as Playbook) : value
  }
  // Each kind of K was imported.
  return { ...(loaded as Pick<Exports, K>), files: inputs }
}

/** The inventory comes first: its directory has the cache. It is imported last. */
const ORDER: readonly Kind[] = ['inventory', 'playbook', 'verification']

export interface CompiledFiles {
  readonly outdir: string
  /** All source files, with those that the entries import. */
  readonly inputs: readonly string[]
}

/** Compiles files and all that they import, unless nothing has changed. @param paths by the names of the output files */
export async function compile(
  paths: Readonly<Record<string, string>>,
  { compiled, root }: Installation,
): Promise<CompiledFiles> {
  const key = createHash('sha256').update(JSON.stringify(paths)).digest('hex').slice(0, 12)
  const outdir = join(cacheDirectory(Object.values(paths)[0] ?? '.'), key)
  const entries = ['ansible', 'lab', 'pki'].map((name) => [`provision-ts/${name}`, `${compiled}${name}.js`])
  const alias = { 'provision-ts': `${compiled}index.js`, ...Object.fromEntries(entries), ...sourcesOf(root) }
  const { inputs } = await bundle({ entries: paths, outdir, alias }).catch((error: unknown) => {
    throw syntaxError(error)
  })
  return { outdir, inputs }
}

/** The stack and the roles in the repository, where they are not compiled. */
function sourcesOf(root: string): Readonly<Record<string, string>> {
  if (!existsSync(`${root}src`)) return {}
  const roles = readdirSync(`${root}roles`).map((name) =>
    name.endsWith('.ts')
      ? [`provision-ts/roles/${name.replace(/ts$/, 'js')}`, `${root}roles/${name}`]
      : [`provision-ts/roles/${name}`, `${root}roles/${name}/index.ts`],
  )
  return { 'provision-ts/stack': `${root}stack/index.ts`, ...Object.fromEntries(roles) }
}

/** Imports the default export of a compiled file. @throws Problem if it is of another kind */
export async function importDefault<K extends Kind>(outdir: string, kind: K, path: string): Promise<Exports[K]> {
  const value = await runUserCode(path, async () => {
    const module: unknown = await import(pathToFileURL(join(outdir, `${kind}.js`)).href)
    const exported = isRecord(module) ? module['default'] : undefined
    return kind === 'inventory' && typeof exported === 'function' ? (exported() as unknown) : exported
  })
  if (!isRecord(value) || value['type'] !== kind)
    throw new Problem(`${relativePath(path)} does not export ${kind === 'inventory' ? 'an' : 'a'} ${kind}`, {
      next: `It must have: export default ${kind}(…)${kind === 'inventory' ? ', or a function that returns one' : ''}.`,
    })
  if (kind === 'inventory') storeHostNames(cacheDirectory(path), path, value as unknown as Inventory)
  return value as unknown as Exports[K]
}

/** Turns errors of user code into a Problem with their place. */
async function runUserCode(path: string, body: () => Promise<unknown>): Promise<unknown> {
  try {
    return await body()
  } catch (error) {
    if (error instanceof Problem) throw error
    const where = thrownAt(error)
    throw new Problem(`${relativePath(path)} failed: ${error instanceof Error ? error.message : String(error)}`, {
      ...(where && { where }),
      cause: error,
    })
  }
}

/** In node_modules of the project: its compiled files resolve packages from there. */
export function cacheDirectory(path: string): string {
  for (let at = dirname(path); at !== dirname(at); at = dirname(at)) {
    if (existsSync(join(at, 'node_modules'))) return join(at, 'node_modules/.cache/provision')
  }
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'provision')
}

/** The names that shells complete. Stored whenever an inventory is loaded, so that completion does not run inventories. */
export interface HostNames {
  readonly groups: readonly string[]
  readonly hosts: readonly string[]
}

function storeHostNames(directory: string, inventoryPath: string, { hosts }: Pick<Inventory, 'hosts'>): void {
  const names: HostNames = {
    groups: [...new Set(hosts.map(({ group }) => group))],
    hosts: [...new Set(hosts.map(({ name }) => name))],
  }
  const file = fileOf(directory, inventoryPath)
  const text = JSON.stringify(names)
  try {
    if (existsSync(file) && readFileSync(file, 'utf8') === text) return
    mkdirSync(directory, { recursive: true })
    // A shell may read the file at the same time.
    writeFileSync(`${file}.${process.pid}`, text)
    renameSync(`${file}.${process.pid}`, file)
  } catch {
    // Without the file, shells complete no hosts.
  }
}

/** The names of the inventory when it was last loaded; none if it never was. */
export function storedHostNames(directory: string, inventoryPath: string): HostNames {
  const file = fileOf(directory, inventoryPath)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { groups: [], hosts: [] }
}

function fileOf(directory: string, inventoryPath: string): string {
  const key = createHash('sha256').update(inventoryPath).digest('hex').slice(0, 12)
  return join(directory, `hosts-${key}.json`)
}
