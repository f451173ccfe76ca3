import { Problem } from '../model/problem.ts'
import { expanded } from './ranges.ts'
import { addHost, groupIn, newTree, type Tree } from './tree.ts'
import { iniValue, type Vars } from './value.ts'

/** An inventory in Ansible's INI format. @throws Problem that names the line */
export function iniTree(text: string, path: string): Tree {
  const tree = newTree()
  let section: Section = { group: 'ungrouped', kind: 'hosts' }
  text.split(/\r?\n/).forEach((raw, i) => {
    const line = raw.trim()
    if (line === '' || /^[#;]/.test(line)) return
    const where = `${path}:${i + 1}`
    const header = /^\[([^\]:]+)(?::(\w+))?\]\s*([#;].*)?$/.exec(line)
    if (header) section = sectionOf(header[1] ?? '', header[2], where)
    else take(tree, section, line, where)
    if (header) groupIn(tree, section.group)
  })
  return tree
}

interface Section {
  readonly group: string
  readonly kind: 'hosts' | 'children' | 'vars'
}

function sectionOf(group: string, kind: string | undefined, where: string): Section {
  if (kind === undefined) return { group, kind: 'hosts' }
  if (kind === 'children' || kind === 'vars') return { group, kind }
  throw new Problem(`[${group}:${kind}] is no section of an inventory`, {
    where,
    next: 'There are [group], [group:vars] and [group:children].',
  })
}

function take(tree: Tree, { group, kind }: Section, line: string, where: string): void {
  if (kind === 'vars') {
    const [, name, value] = /^([^=\s]+)\s*=\s*(.*)$/.exec(line) ?? []
    if (name === undefined) throw new Problem('A line of a :vars section should be name=value', { where })
    const own = groupIn(tree, group)
    own.vars = { ...own.vars, [name]: iniValue(withoutComment(value ?? '')) }
    return
  }
  const [first = '', ...rest] = words(line, where)
  if (kind === 'children') {
    groupIn(tree, group).children.add(first)
    groupIn(tree, first)
    return
  }
  const [, pattern = first, port] = /^([^:[]*(?:\[[^\]]*\][^:[]*)*):(\d+)$/.exec(first) ?? []
  const vars = { ...(port !== undefined && { ansible_port: Number(port) }), ...varsOf(rest, where) }
  for (const host of expanded(pattern)) addHost(tree, group, host, vars)
}

function varsOf(assignments: readonly string[], where: string): Vars {
  return Object.fromEntries(
    assignments.map((one) => {
      const at = one.indexOf('=')
      if (at < 1) throw new Problem(`"${one}" should be name=value`, { where })
      return [one.slice(0, at), iniValue(one.slice(at + 1))]
    }),
  )
}

/** As a shell would part them; a # begins a comment. Quotes around a value are gone, those within a list stay. */
function words(line: string, where: string): readonly string[] {
  const found: string[] = []
  let word: string | undefined
  let open = ''
  for (const c of line) {
    if (open !== '') {
      if (c === open) open = ''
      else word = (word ?? '') + c
    } else if (c === '"' || c === "'") {
      open = c
      word ??= ''
    } else if (c === '#' && word === undefined) break
    else if (/\s/.test(c)) {
      if (word !== undefined) found.push(word)
      word = undefined
    } else word = (word ?? '') + c
  }
  if (open !== '') throw new Problem(`A quote (${open}) is not closed`, { where })
  return word === undefined ? found : [...found, word]
}

function withoutComment(value: string): string {
  return /^["']/.test(value) ? value.trim() : value.replace(/\s+#.*$/, '').trim()
}
