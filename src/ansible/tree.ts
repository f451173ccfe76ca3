import { mergeVars, NO_VARS, type Vars } from './variables.ts'

/** The groups and hosts of an Ansible inventory. */
export interface GroupTree {
  readonly groups: Map<string, TreeGroup>
  /** Hosts with their variables. */
  readonly hosts: Map<string, Vars>
}

interface TreeGroup {
  readonly hosts: Set<string>
  readonly children: Set<string>
  vars: Vars
}

export function newTree(): GroupTree {
  return { groups: new Map(), hosts: new Map() }
}

export function groupIn({ groups }: GroupTree, name: string): TreeGroup {
  const known = groups.get(name)
  if (known) return known
  const made: TreeGroup = { hosts: new Set(), children: new Set(), vars: NO_VARS }
  groups.set(name, made)
  return made
}

interface NewHost {
  readonly group: string
  readonly host: string
  readonly vars: Vars
  /** The port in `name:port`. As in Ansible, that of the first mention applies. */
  readonly port?: number | undefined
  readonly where: string
}

export function addHost(tree: GroupTree, { group, host, vars, port, where }: NewHost): void {
  groupIn(tree, group).hosts.add(host)
  const known = tree.hosts.get(host)
  const first: Vars =
    port === undefined || known !== undefined ? NO_VARS : new Map([['ansible_port', { value: port, where }]])
  tree.hosts.set(host, mergeVars([known ?? first, vars]))
}

/** Adds a child group. @returns false if the groups would contain each other */
export function addChild(tree: GroupTree, parent: string, child: string): boolean {
  if (child === 'all' || contains(tree, child, parent)) return false
  groupIn(tree, parent).children.add(child)
  groupIn(tree, child)
  return true
}

function contains(tree: GroupTree, name: string, searched: string): boolean {
  const below = tree.groups.get(name)?.children ?? []
  return name === searched || [...below].some((child) => contains(tree, child, searched))
}

/** The hosts of a group and its descendants, each once, in order. */
export function membersOf(tree: GroupTree, name: string): readonly string[] {
  const group = tree.groups.get(name)
  if (name === 'all') return [...tree.hosts.keys()]
  if (!group) return []
  const below = [...group.children].flatMap((child) => membersOf(tree, child))
  return [...new Set([...group.hosts, ...below])]
}

/** The groups of a host, parents before children: later ones override earlier ones. */
export function groupsOf(tree: GroupTree, host: string): readonly string[] {
  const names = [...tree.groups.keys()].filter((name) => name !== 'all' && membersOf(tree, name).includes(host))
  const priority = (name: string) => Number(tree.groups.get(name)?.vars.get('ansible_group_priority')?.value ?? 1)
  return names.sort((a, b) => depth(tree, a) - depth(tree, b) || priority(a) - priority(b) || (a < b ? -1 : 1))
}

/** The length of the longest chain of ancestors. */
function depth(tree: GroupTree, name: string): number {
  const parents = [...tree.groups].filter(([, { children }]) => children.has(name)).map(([one]) => one)
  const further = parents.filter((one) => one !== 'all')
  return Math.max(0, ...further.map((one) => 1 + depth(tree, one)))
}
