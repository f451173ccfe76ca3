import { NO_VARS, together, type Vars } from './value.ts'

/** What an inventory of Ansible says, before anything is put together. */
export interface Tree {
  readonly groups: Map<string, TreeGroup>
  /** The variables of hosts. */
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
  const made: TreeGroup = { hosts: new Set(), children: new Set(), vars: NO_VARS }
  groups.set(name, made)
  return made
}

export interface NewHost {
  readonly group: string
  readonly host: string
  readonly vars: Vars
  /** Of `name:port`. As in Ansible, it counts where the host is named for the first time. */
  readonly port?: number | undefined
  readonly where: string
}

export function addHost(tree: Tree, { group, host, vars, port, where }: NewHost): void {
  groupIn(tree, group).hosts.add(host)
  const known = tree.hosts.get(host)
  const first: Vars =
    port === undefined || known !== undefined ? NO_VARS : new Map([['ansible_port', { value: port, where }]])
  tree.hosts.set(host, together([known ?? first, vars]))
}

/** False where the groups would contain one another. */
export function addChild(tree: Tree, parent: string, child: string): boolean {
  if (child === 'all' || contains(tree, child, parent)) return false
  groupIn(tree, parent).children.add(child)
  groupIn(tree, child)
  return true
}

function contains(tree: Tree, name: string, searched: string): boolean {
  const below = tree.groups.get(name)?.children ?? []
  return name === searched || [...below].some((child) => contains(tree, child, searched))
}

/** The hosts of a group and of all below it, each once, in the order in which they stand. */
export function membersOf(tree: Tree, name: string): readonly string[] {
  const group = tree.groups.get(name)
  if (name === 'all') return [...tree.hosts.keys()]
  if (!group) return []
  const below = [...group.children].flatMap((child) => membersOf(tree, child))
  return [...new Set([...group.hosts, ...below])]
}

/** The groups that a host is in, those above before those below: what comes later goes first. */
export function groupsOf(tree: Tree, host: string): readonly string[] {
  const names = [...tree.groups.keys()].filter(
    (name) => name !== 'all' && membersOf(tree, name).includes(host),
  )
  const priority = (name: string) =>
    Number(tree.groups.get(name)?.vars.get('ansible_group_priority')?.value ?? 1)
  return names.sort(
    (a, b) => depth(tree, a) - depth(tree, b) || priority(a) - priority(b) || (a < b ? -1 : 1),
  )
}

/** How many groups stand above one another over this one. */
function depth(tree: Tree, name: string): number {
  const parents = [...tree.groups].filter(([, { children }]) => children.has(name)).map(([one]) => one)
  const further = parents.filter((one) => one !== 'all')
  return Math.max(0, ...further.map((one) => 1 + depth(tree, one)))
}
