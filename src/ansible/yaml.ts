import { isRecord } from '../model/fields.ts'
import { Problem } from '../model/problem.ts'
import { expanded } from './ranges.ts'
import { addHost, groupIn, newTree, type Tree } from './tree.ts'
import { type Vars, yamlFile } from './value.ts'

/** An inventory in Ansible's YAML format. @throws Problem that names the group */
export function yamlTree(text: string, path: string): Tree {
  const tree = newTree()
  const all = record(yamlFile(text, path), path)
  for (const [name, group] of Object.entries(all)) take(tree, name, group, `${path}: ${name}`)
  return tree
}

function take(tree: Tree, name: string, given: unknown, where: string): void {
  const { hosts, children, vars, ...strange } = record(given, where)
  const [odd] = Object.keys(strange)
  if (odd !== undefined)
    throw new Problem(`A group has hosts, children and vars, and no ${odd}`, {
      where,
      next: 'Is a level missing? Groups within a group stand below its children.',
    })
  const group = groupIn(tree, name)
  group.vars = { ...group.vars, ...record(vars, `${where}.vars`) }
  for (const [pattern, own] of Object.entries(record(hosts, `${where}.hosts`)))
    for (const host of expanded(pattern)) addHost(tree, name, host, record(own, `${where}.hosts.${pattern}`))
  for (const [child, below] of Object.entries(record(children, `${where}.children`))) {
    group.children.add(child)
    take(tree, child, below, `${where}.${child}`)
  }
}

/** Nothing at all is nothing said. */
function record(given: unknown, where: string): Vars {
  if (given === null || given === undefined) return {}
  if (isRecord(given)) return given
  throw new Problem('There should be a mapping of names', {
    where,
    next: 'Each name has a colon behind it, that of a host without variables, too: web1:',
  })
}
