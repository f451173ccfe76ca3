import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isRecord } from '../model/fields.ts'
import { Problem } from '../model/problem.ts'
import { iniTree } from './ini.ts'
import type { Tree } from './tree.ts'
import { isVault, type Vars, yamlFile } from './value.ts'
import { yamlTree } from './yaml.ts'

/** What an inventory's files say, before anything is put together. */
export interface Files {
  readonly tree: Tree
  /** Of group_vars and host_vars. */
  readonly vars: (kind: 'group' | 'host', name: string) => FileVars
}

export interface FileVars {
  readonly vars: Vars
  /** Files that are encrypted as a whole: nobody knows which variables they hold. */
  readonly vaults: readonly string[]
}

/** Reads an inventory file and what lies beside it. @throws Problem for what is not there or cannot be read */
export function filesOf(path: string): Files {
  if (!existsSync(path))
    throw new Problem(`There is no Ansible inventory ${path}`, {
      next: 'Give the path of an INI or YAML file, from where the command is given.',
    })
  if (statSync(path).isDirectory())
    throw new Problem(`${path} is a folder`, { next: 'Name the file in it: hosts.ini, hosts.yml.' })
  const text = readFileSync(path, 'utf8')
  if (isVault(text))
    throw new Problem(`${path} is encrypted with Ansible Vault`, { next: 'ansible-vault decrypt it first.' })
  if (text.startsWith('#!'))
    throw new Problem(`${path} is a program`, {
      next: 'Keep what it tells: ansible-inventory --list --yaml --export > hosts.yml',
    })
  const tree = /\.(ya?ml|json)$/.test(path) ? yamlTree(text, path) : iniTree(text, path)
  const beside = dirname(path)
  return { tree, vars: (kind, name) => varsAt(join(beside, `${kind}_vars`, name)) }
}

/** A file with or without an ending, or a folder of files; the later go before the earlier. */
function varsAt(base: string): FileVars {
  const single = ['', '.yml', '.yaml', '.json'].map((ending) => base + ending).filter(isFile)
  const folder = existsSync(base) && statSync(base).isDirectory()
  const within = folder
    ? readdirSync(base, { recursive: true, encoding: 'utf8' })
        .sort()
        .map((name) => join(base, name))
        .filter((one) => isFile(one) && /(^|\/)[^.]+(\.(ya?ml|json))?$/.test(one))
    : []
  const read = [...single, ...within].map((path) => ({ path, text: readFileSync(path, 'utf8') }))
  return {
    vars: Object.assign({}, ...read.filter(({ text }) => !isVault(text)).map(varsOf)),
    vaults: read.filter(({ text }) => isVault(text)).map(({ path }) => path),
  }
}

function varsOf({ path, text }: { readonly path: string; readonly text: string }): Vars {
  const vars = yamlFile(text, path) ?? {}
  if (isRecord(vars)) return vars
  throw new Problem(`${path} should be a mapping of names to values`, {
    next: 'A line for each: name: value',
  })
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile()
}
