import type { Vars } from './value.ts'

/** What an inventory of Ansible says, before anything is put together. */
export interface Tree {
  readonly groups: Map<string, TreeGroup>
  /** What hosts say of themselves. */
  readonly hosts: Map<string, Vars>
}

export interface TreeGroup {
  readonly hosts: Set<string>
  readonly children: Set<string>
  vars: Vars
}

export function newTree(): Tree {
  return { groups: new Map(), hosts: new Map() }
}

export function groupIn({ groups }: Tree, name: string): TreeGroup {
  const known = groups.get(name)
  if (known) return known
  const made: TreeGroup = { hosts: new Set(), children: new Set(), vars: {} }
  groups.set(name, made)
  return made
}

export function addHost(tree: Tree, group: string, name: string, vars: Vars): void {
  groupIn(tree, group).hosts.add(name)
  tree.hosts.set(name, { ...tree.hosts.get(name), ...vars })
}

/** The hosts of a group and of all below it, each once, in the order in which they stand. */
export function membersOf(tree: Tree, name: string, above: readonly string[] = []): readonly string[] {
  const group = tree.groups.get(name)
  if (name === 'all' && above.length === 0) return [...tree.hosts.keys()]
  if (!group || above.includes(name)) return []
  const below = [...group.children].flatMap((child) => membersOf(tree, child, [...above, name]))
  return [...new Set([...group.hosts, ...below])]
}

/** The groups that a host is in, those above before those below: what comes later goes first. */
export function groupsOf(tree: Tree, host: string): readonly string[] {
  const names = [...tree.groups.keys()].filter(
    (name) => name !== 'all' && membersOf(tree, name).includes(host),
  )
  const priority = (name: string) => Number(tree.groups.get(name)?.vars['ansible_group_priority'] ?? 1)
  return names.sort(
    (a, b) => depth(tree, a) - depth(tree, b) || priority(a) - priority(b) || (a < b ? -1 : 1),
  )
}

/** How many groups stand above one another over this one. */
function depth(tree: Tree, name: string, below: readonly string[] = []): number {
  const parents = [...tree.groups].filter(([, { children }]) => children.has(name)).map(([one]) => one)
  const further = parents.filter((one) => one !== 'all' && !below.includes(one))
  return Math.max(0, ...further.map((one) => 1 + depth(tree, one, [...below, name])))
}
