import { Problem } from '../model/problem.ts'
import { pythonLiteral, shlex } from './python.ts'
import { expandHostPattern } from './ranges.ts'
import { addChild, addHost, type GroupTree, groupIn, newTree } from './tree.ts'
import { markTemplates, redactedLine, type Var } from './variables.ts'

/** Parses an inventory in Ansible's INI format. @throws Problem with the line */
export function iniTree(text: string, path: string): GroupTree {
  const reading: Reading = { tree: newTree(), declared: new Set(['all', 'ungrouped']), wanted: [] }
  let section: Section = { group: 'ungrouped', kind: 'hosts' }
  text.split(LINE_ENDS).forEach((raw, i) => {
    const line = raw.trim()
    if (line === '' || /^[#;]/.test(line)) return
    const place = { where: `${path}:${i + 1}`, line }
    const header = sectionOf(place)
    if (header) {
      section = header
      groupIn(reading.tree, section.group)
      if (section.kind !== 'vars') reading.declared.add(section.group)
      else reading.wanted.push({ group: section.group, place })
    } else take(reading, section, place)
  })
  for (const { group, place } of reading.wanted)
    if (!reading.declared.has(group))
      throw fault(`There is no group "${group}"`, place, `Declare it with a section: [${group}].`)
  return reading.tree
}

/** Python's line separators. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: some separators are control characters
const LINE_ENDS = /\r\n|[\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]/

interface Reading {
  readonly tree: GroupTree
  readonly declared: Set<string>
  /** Groups that must be declared somewhere. */
  readonly wanted: { readonly group: string; readonly place: Place }[]
}

interface Place {
  readonly where: string
  readonly line: string
}

interface Section {
  readonly group: string
  readonly kind: 'hosts' | 'children' | 'vars'
}

function sectionOf(place: Place): Section | undefined {
  const [, group, kind] = /^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$/.exec(place.line) ?? []
  if (group === undefined) {
    if (!/^\[[^\]]*\]\s*([#;].*)?$/.test(place.line)) return undefined
    throw fault(
      'This is not a valid section',
      place,
      'A group name has no spaces and no colons; a comment after it begins with #.',
    )
  }
  if (kind === undefined) return { group, kind: 'hosts' }
  if (kind === 'children' || kind === 'vars' || kind === 'hosts') return { group, kind }
  throw fault(
    `[${group}:${kind}] is not a valid section`,
    place,
    'Valid are [group], [group:vars] and [group:children].',
  )
}

function take(reading: Reading, section: Section, place: Place): void {
  if (section.kind === 'vars') takeVariable(reading, section.group, place)
  else if (section.kind === 'children') takeChild(reading, section.group, place)
  else takeHosts(reading, section.group, place)
}

function takeVariable({ tree }: Reading, group: string, place: Place): void {
  const at = place.line.indexOf('=')
  if (at === -1) throw fault('A line of a :vars section should be name=value', place)
  const own = groupIn(tree, group)
  const value = variableOf(place.line.slice(at + 1).trim(), place)
  own.vars = new Map([...own.vars, [place.line.slice(0, at).trim(), value]])
}

function takeChild({ tree, wanted }: Reading, group: string, place: Place): void {
  const [, child] = /^([^:\]\s]+)\s*(?:#.*)?$/.exec(place.line) ?? []
  if (child === undefined) throw fault('A line of a :children section should be a group name', place)
  wanted.push({ group: child, place })
  if (!addChild(tree, group, child))
    throw fault(`The groups "${group}" and "${child}" contain each other`, place, 'Remove one of them from the other.')
}

function takeHosts({ tree }: Reading, group: string, place: Place): void {
  const found = shlex(place.line, { comments: true })
  if ('fault' in found) throw fault(found.fault, place)
  const [pattern = '', ...assignments] = found.words
  const hosts = expandHostPattern(pattern)
  if ('fault' in hosts) throw fault(hosts.fault, place)
  const vars = new Map(
    assignments.map((one): [string, Var] => {
      const at = one.indexOf('=')
      if (at === -1) throw fault(`"${redactedLine(one)}" should be name=value`, place)
      return [one.slice(0, at), variableOf(one.slice(at + 1), place)]
    }),
  )
  for (const host of hosts.names) addHost(tree, { group, host, vars, port: hosts.port, where: place.where })
}

/** A Python literal, else a string. */
function variableOf(text: string, { where }: Place): Var {
  const literal = pythonLiteral(text)
  return { value: markTemplates(literal === undefined ? text : literal.value), where }
}

function fault(what: string, { where, line }: Place, next?: string): Problem {
  return new Problem(what, { where, details: [redactedLine(line)], ...(next !== undefined && { next }) })
}
