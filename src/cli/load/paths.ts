import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { Problem } from '../../model/problem.ts'
import { didYouMean } from '../../shell/nearest.ts'

/** The directory of this package. User files import it as `provision-ts`, so both share one copy. */
export interface Installation {
  readonly root: string
  /** The directory of the compiled code, with a trailing slash. */
  readonly compiled: string
}

/** The version of this package. */
export function versionOf({ root }: Installation): string {
  const { version }: { version: string } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
  return version
}

/** The path of `--inventory` or of $PROVISION_INVENTORY. @throws Problem without either */
export function inventoryPath(given: string | undefined): string {
  const path = given ?? process.env['PROVISION_INVENTORY']
  if (path) return path
  const all = inventories()
  throw new Problem('No inventory specified', {
    next:
      all.length > 0
        ? `Use --inventory ${all[0]}${all.length > 1 ? `. The inventories are ${all.join(', ')}` : ''}.`
        : 'Use --inventory FILE.',
  })
}

/** The path of a playbook: a name without a slash and an extension is a file in playbooks/. */
export function playbookPath(name: string): string {
  return /[/.]/.test(name) ? name : `playbooks/${name}.ts`
}

/** The inventories of the project. */
export function inventories(): readonly string[] {
  return entries('inventory').map(({ name }) => join('inventory', `${name}.ts`))
}

/** The names of the project's playbooks and verifications. */
export function playbooks(): readonly string[] {
  return entries('playbooks').map(({ name }) => name)
}

/** Names of playbooks in version 0.1.0. */
const RENAMED: Readonly<Record<string, string>> = {
  alone: 'disable-sync-replication',
  reattach: 'rejoin',
  retire: 'decommission',
}

/** The hint for an earlier name of a playbook of this project. */
export function renamedPlaybook(name: string): string | undefined {
  const now = RENAMED[name]
  return now !== undefined && playbooks().includes(now) ? `"${name}" was renamed to "${now}".` : undefined
}

/** The project's playbooks, each with the first sentence of its description. */
export function describedPlaybooks(): readonly { readonly name: string; readonly description: string }[] {
  return entries('playbooks')
    .filter(({ text }) => !/^export default (verification|verify)\(/m.test(text))
    .map(({ name, text }) => ({ name, description: firstSentence(text) }))
}

/** Read from the source, or from the comment of its export: importing all playbooks would make `--help` slow. */
function firstSentence(source: string): string {
  const [, , quoted = ''] = /\bdescription:\s*(['"`])((?:\\.|(?!\1).)+)\1/s.exec(source) ?? []
  const [, comment = ''] = /\/\*\*((?:(?!\*\/).)*)\*\/\nexport default /s.exec(source) ?? []
  const text =
    quoted.replace(/\\(.)/gs, '$1') ||
    comment
      .replace(/^\s*\*? ?/gm, '')
      .trim()
      .replace(/\s+/g, ' ')
  const [sentence = ''] = text.split(/(?<=\.)\s/)
  return sentence
}

/** Files without a default export are parts of others. */
function entries(directory: string): readonly { readonly name: string; readonly text: string }[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map((file) => ({ name: file.replace(/\.ts$/, ''), text: readFileSync(join(directory, file), 'utf8') }))
    .filter(({ text }) => /^export default /m.test(text))
}

/** The absolute path of a file that exists. @throws Problem if it does not, or if an inventory is not a TypeScript file */
export function existingFile(path: string, kind: 'inventory' | 'playbook' | 'verification'): string {
  const full = resolve(path)
  if (existsSync(full)) {
    if (kind === 'inventory') assertModule(full)
    return full
  }
  const known = kind === 'inventory' ? inventories() : [...playbooks(), ...playbooks().map(playbookPath)]
  const typed = kind === 'inventory' ? path : path.replace(/^playbooks\/([^/]+)\.ts$/, '$1')
  throw new Problem(`${relativePath(full)} does not exist`, {
    next: renamedPlaybook(typed) ?? didYouMean(typed, known) ?? USAGE[kind],
  })
}

const USAGE = {
  inventory: 'Specify a TypeScript file, for example --inventory inventory/lab.ts.',
  playbook: 'Specify a name in playbooks/ or the path of a TypeScript file. The default is playbooks/site.ts.',
  verification: 'Specify a name in playbooks/ or the path of a TypeScript file. The default is playbooks/verify.ts.',
} as const

/** Other files and directories are usually inventories of Ansible. */
function assertModule(path: string): void {
  const isDirectory = statSync(path).isDirectory()
  if (!isDirectory && /\.[cm]?[jt]sx?$/.test(path)) return
  throw new Problem(`${relativePath(path)} is not a TypeScript file`, {
    details: [`const ansible = await fromAnsible('${relativePath(path)}', schema)`],
    next: 'An inventory of Ansible is read with this line in inventory/NAME.ts; see docs/from-ansible.md.',
  })
}

/** The path as seen from the working directory; absolute if the file is elsewhere. */
export function relativePath(path: string): string {
  const near = relative(process.cwd(), path)
  return near.startsWith('..') ? path : near
}
