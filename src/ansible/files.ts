import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { Problem } from '../model/problem.ts'
import { iniTree } from './ini.ts'
import { expandHostPattern } from './ranges.ts'
import { addChild, addHost, type GroupTree, groupIn, newTree } from './tree.ts'
import { markTemplates, mergeVars, NO_VARS, type Vars } from './variables.ts'
import { type Located, plain, YamlMap, yamlFile } from './yaml.ts'

/** The content of an inventory's files. */
export interface InventoryFiles {
  readonly tree: GroupTree
  /** Variables of group_vars and host_vars. */
  readonly vars: (kind: 'group' | 'host', name: string) => FileVars
}

interface FileVars {
  readonly vars: Vars
  /** Files that are encrypted as a whole: their variables are not known. */
  readonly vaults: readonly string[]
}

/** Reads an inventory file and the variables beside it. @throws Problem for a missing or unreadable file */
export function readInventoryFiles(path: string): InventoryFiles {
  if (!existsSync(path))
    throw new Problem(`There is no Ansible inventory ${path}`, {
      next: 'Give the path of an INI or YAML file, relative to where the command is run.',
    })
  if (statSync(path).isDirectory())
    throw new Problem(`${path} is a directory`, { next: 'Name the file in it: hosts.ini, hosts.yml.' })
  const text = textOf(path)
  if (isVault(text))
    throw new Problem(`${path} is encrypted with Ansible Vault`, { next: 'Decrypt it first: ansible-vault decrypt.' })
  if (text.startsWith('#!'))
    throw new Problem(`${path} is a program`, {
      next: 'Save its output: ansible-inventory --list --yaml --export > hosts.yml',
    })
  const tree = /\.(ya?ml|json)$/.test(path) ? yamlTree(text, path) : iniTree(text, path)
  const beside = dirname(path)
  return { tree, vars: (kind, name) => varsAt(join(beside, `${kind}_vars`, name)) }
}

const ENDINGS = ['', '.yml', '.yaml', '.json']

/** Reads the first that exists: a directory or file of the name itself, then a file with an extension. */
function varsAt(base: string): FileVars {
  const [first] = ENDINGS.map((ending) => base + ending).filter(existsSync)
  if (first === undefined) return { vars: new Map(), vaults: [] }
  const paths = statSync(first).isDirectory() ? filesIn(first) : [first]
  const read = paths.map((path) => ({ path, text: textOf(path) }))
  return {
    vars: mergeVars(read.filter(({ text }) => !isVault(text)).map(varsOf)),
    vaults: read.filter(({ text }) => isVault(text)).map(({ path }) => path),
  }
}

/** All files of a directory and its subdirectories by name; later ones override variables of earlier ones. */
function filesIn(folder: string): readonly string[] {
  const names = readdirSync(folder).filter((name) => !name.startsWith('.') && !name.endsWith('~'))
  return names.sort().flatMap((name) => {
    const path = join(folder, name)
    const stat = statSync(path)
    if (stat.isDirectory()) return extname(name) === '' ? filesIn(path) : []
    return stat.isFile() && ENDINGS.includes(extname(name)) ? [path] : []
  })
}

function varsOf({ path, text }: { readonly path: string; readonly text: string }): Vars {
  const file = yamlFile(text, path)
  if (file.value === null || file.value instanceof YamlMap) return varsIn(file)
  throw new Problem(`${path} should be a mapping of names to values`, {
    where: file.where,
    next: 'Write one line for each: name: value',
  })
}

/** True if the whole file is encrypted. */
function isVault(text: string): boolean {
  return text.startsWith('$ANSIBLE_VAULT;')
}

function textOf(path: string): string {
  const bytes = readFileSync(path)
  const text = bytes.toString('utf8')
  if (Buffer.from(text).equals(bytes)) return text.replace(/^\uFEFF/, '')
  const line = text.slice(0, text.indexOf('\uFFFD')).split('\n').length
  throw new Problem(`${path} is not UTF-8`, {
    where: `${path}:${line}`,
    next: 'Convert it, for example: iconv -f latin1 -t utf8',
  })
}

/** Parses an inventory in Ansible's YAML format. @throws Problem with the line */
function yamlTree(text: string, path: string): GroupTree {
  const tree = newTree()
  for (const [name, group] of entriesOf(yamlFile(text, path))) take(tree, name, group)
  return tree
}

function take(tree: GroupTree, name: string, given: Located): void {
  const parts = entriesOf(given)
  for (const [key, { where }] of parts)
    if (key !== 'hosts' && key !== 'children' && key !== 'vars')
      throw new Problem(`The group "${name}" has hosts, children and vars, and no "${key}"`, {
        where,
        next: 'Check for a missing level: groups within a group belong under its children.',
      })
  const group = groupIn(tree, name)
  group.vars = mergeVars([group.vars, varsIn(parts.get('vars'))])
  for (const [pattern, own] of entriesOf(parts.get('hosts'))) {
    const { where } = own
    const hosts = expandHostPattern(pattern)
    if ('fault' in hosts) throw new Problem(hosts.fault, { where })
    for (const host of hosts.names) addHost(tree, { group: name, host, vars: varsIn(own), port: hosts.port, where })
  }
  for (const [child, below] of entriesOf(parts.get('children'))) {
    if (!addChild(tree, name, child))
      throw new Problem(`The groups "${name}" and "${child}" contain each other`, {
        where: below.where,
        next: 'Remove one of them from the other.',
      })
    take(tree, child, below)
  }
}

/** The variables of a mapping with their lines. */
function varsIn(given: Located | undefined): Vars {
  const vars = [...entriesOf(given)].map(
    ([name, { value, where }]) => [name, { value: markTemplates(plain(value)), where }] as const,
  )
  return vars.length === 0 ? NO_VARS : new Map(vars)
}

/** The entries of a mapping. As in Ansible, an empty value has none, and a single name is an entry without a value. */
function entriesOf(given: Located | undefined): ReadonlyMap<string, Located> {
  if (given === undefined || given.value === null) return new Map()
  if (given.value instanceof YamlMap) return given.value.entries
  if (typeof given.value === 'string') return new Map([[given.value, { value: null, where: given.where }]])
  throw new Problem('This should be a mapping of names', {
    where: given.where,
    next: 'Write a colon after each name, also of a host without variables: web1:',
  })
}
