import { Problem } from '../model/problem.ts'
import { hostsIn } from './ranges.ts'
import { addChild, addHost, groupIn, newTree, type Tree } from './tree.ts'
import { NO_VARS, open, together, type Vars } from './value.ts'
import { type Located, plain, YamlMap, yamlFile } from './yaml.ts'

/** An inventory in Ansible's YAML format. @throws Problem that names the line */
export function yamlTree(text: string, path: string): Tree {
  const tree = newTree()
  for (const [name, group] of entriesOf(yamlFile(text, path))) take(tree, name, group)
  return tree
}

function take(tree: Tree, name: string, given: Located): void {
  const parts = entriesOf(given)
  for (const [key, { where }] of parts)
    if (key !== 'hosts' && key !== 'children' && key !== 'vars')
      throw new Problem(`The group "${name}" has hosts, children and vars, and no "${key}"`, {
        where,
        next: 'Is a level missing? Groups within a group stand below its children.',
      })
  const group = groupIn(tree, name)
  group.vars = together([group.vars, varsIn(parts.get('vars'))])
  for (const [pattern, own] of entriesOf(parts.get('hosts'))) {
    const { where } = own
    const hosts = hostsIn(pattern)
    if ('fault' in hosts) throw new Problem(hosts.fault, { where })
    for (const host of hosts.names)
      addHost(tree, { group: name, host, vars: varsIn(own), port: hosts.port, where })
  }
  for (const [child, below] of entriesOf(parts.get('children'))) {
    if (!addChild(tree, name, child))
      throw new Problem(`The groups "${name}" and "${child}" contain one another`, {
        where: below.where,
        next: 'Take one of them out of the other.',
      })
    take(tree, child, below)
  }
}

/** The variables of a mapping, each with its line. */
export function varsIn(given: Located | undefined): Vars {
  const vars = [...entriesOf(given)].map(
    ([name, { value, where }]) => [name, { value: open(plain(value)), where }] as const,
  )
  return vars.length === 0 ? NO_VARS : new Map(vars)
}

/** An empty value has no entries, and a single name is an entry without a value, as in Ansible. */
function entriesOf(given: Located | undefined): ReadonlyMap<string, Located> {
  if (given === undefined || given.value === null) return new Map()
  if (given.value instanceof YamlMap) return given.value.entries
  if (typeof given.value === 'string') return new Map([[given.value, { value: null, where: given.where }]])
  throw new Problem('There should be a mapping of names', {
    where: given.where,
    next: 'Each name has a colon behind it, that of a host without variables, too: web1:',
  })
}
