import { Problem } from '../model/problem.ts'
import { expandHostPattern } from './ranges.ts'
import { addChild, addHost, type GroupTree, groupIn, newTree } from './tree.ts'
import { markTemplates, mergeVars, NO_VARS, type Vars } from './variables.ts'
import { type Located, plain, YamlMap, yamlFile } from './yaml.ts'

/** Parses an inventory in Ansible's YAML format. @throws Problem with the line */
export function yamlTree(text: string, path: string): GroupTree {
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
export function varsIn(given: Located | undefined): Vars {
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
