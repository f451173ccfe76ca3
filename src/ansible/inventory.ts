import { lookup } from 'node:dns/promises'
import {
  credential,
  type Field,
  type Fields,
  isAddress,
  type Out,
  type Values,
} from '../model/inventory/fields.ts'
import type { Become, Ssh } from '../model/inventory/host.ts'
import type { Entries, GroupSchema, InventorySchema } from '../model/inventory/schema.ts'
import { Problem } from '../model/problem.ts'
import { didYouMean } from '../shell/nearest.ts'
import { type Files, filesOf } from './files.ts'
import { hostNameOf, reachOf } from './reach.ts'
import { groupsOf, membersOf } from './tree.ts'
import { Closed, closedIn, NO_VARS, together, type Vars } from './value.ts'

/** An inventory of Ansible, as parts of one of ours. */
export interface AnsibleInventory<S extends Entries> {
  /**
   * A group with its hosts, and those of their variables that the stack asks for; others are left out.
   *
   * @throws Problem for a group that there is not, and for variables that are missing, encrypted, or of the wrong type
   */
  readonly group: <K extends GroupName<S>>(name: K, options?: AnsibleGroupOptions<S[K]>) => AnsibleGroup<S[K]>
  /**
   * A variable of the group `all`, as a value of the stack.
   *
   * @param from what Ansible calls it. @default the same
   * @throws Problem when it is missing, encrypted, or of the wrong type
   */
  readonly value: <K extends ValueName<S>>(name: K, from?: string) => Out<S[K]>
}

/** Options of {@link fromAnsible}. */
export interface AnsibleOptions {
  /** Takes notices, such as an option of ssh that has no effect here. @default they are written to stderr */
  readonly warn?: (text: string) => void
}

/** How a group of Ansible becomes one of ours: see {@link AnsibleInventory}. */
export interface AnsibleGroupOptions<H> {
  /** What Ansible calls it. @default the same */
  readonly from?: string
  /** What Ansible calls variables, where that is something else: `{ port: 'http_port' }`; `address`, too. */
  readonly vars?: { readonly [V in keyof VarsOf<H> | 'address']?: string }
}

/** A group as an inventory takes it. */
export interface AnsibleGroup<H> {
  readonly hosts: Readonly<Record<string, AnsibleHost<H>>>
}

type AnsibleHost<H> = { readonly address: string; readonly ssh: Ssh; readonly become: Become } & Values<
  VarsOf<H>
>
type VarsOf<H> = H extends GroupSchema<infer V> ? V : Record<never, never>
type GroupName<S> = { [K in keyof S]: S[K] extends GroupSchema<infer _V> ? K : never }[keyof S] & string
type ValueName<S> = Exclude<keyof S, GroupName<S>> & string

/**
 * Reads an inventory of Ansible (INI, or YAML by its ending) with the `group_vars` and `host_vars` beside it, so that both tools can
 * share it. The stack says which groups and variables count, and of which type they are. Names that are no address are looked up.
 *
 * @param path from where the command is given
 * @throws Problem for what cannot be read, or has no like here
 * @example
 * export default async () => {
 *   const ansible = await fromAnsible('hosts.ini', inventorySchema({ web: hosts({ port }) }))
 *   return ansible.group('web', { from: 'webservers', vars: { port: 'http_port' } })
 * }
 */
export async function fromAnsible<S extends Entries>(
  path: string,
  { entries }: InventorySchema<S>,
  { warn = (text) => process.stderr.write(`${text}\n`) }: AnsibleOptions = {},
): Promise<AnsibleInventory<S>> {
  const files = filesOf(path)
  const names = [...files.tree.hosts.keys()]
  const known = new Map(names.map((name) => [name, hostOf(files, name)] as const))
  const addresses = await addressesOf([...known.values()])
  const told = new Set<string>()
  const notice = (text: string) => {
    if (!told.has(text)) warn(`${path}: ${text}`)
    told.add(text)
  }
  return {
    group: (name, { from = name, vars = {} } = {}) => {
      const entry: Entries[string] | undefined = entries[name]
      const fields = entry && 'type' in entry ? entry.vars : {}
      if (from !== 'all' && !files.tree.groups.has(from)) throw noGroup(from, files, path)
      const hosts = membersOf(files.tree, from).map((host) => {
        const one = known.get(host) ?? { name: host, vars: NO_VARS, vaults: [] }
        const renamed: Readonly<Record<string, string | undefined>> = vars
        const said = { path, renamed, addresses, notice }
        return [host, memberOf(one, fields, said)] as const
      })
      // Each value was held against its field.
      return { hosts: Object.fromEntries(hosts) } as unknown as AnsibleGroup<S[typeof name]>
    },
    value: (name, from = name) => {
      const all = allOf(files)
      const field: Entries[string] | undefined = entries[name]
      if (!field || 'type' in field) throw new TypeError(`${name} is no value of the stack`)
      return checked(field, all, { variable: from, whose: 'the group all', path }) as Out<S[typeof name]>
    },
  }
}

interface AnsibleVars {
  readonly vars: Vars
  readonly vaults: readonly string[]
}

type KnownHost = AnsibleVars & { readonly name: string }

/** The order is Ansible's: what comes later goes first. */
function hostOf({ tree, vars }: Files, name: string): KnownHost {
  const groups = groupsOf(tree, name)
  const files = [
    ...['all', ...groups].map((group) => ({ vars: tree.groups.get(group)?.vars ?? NO_VARS, vaults: [] })),
    ...['all', ...groups].map((group) => vars('group', group)),
    { vars: tree.hosts.get(name) ?? NO_VARS, vaults: [] },
    vars('host', name),
  ]
  return { name, ...merged(files) }
}

function allOf({ tree, vars }: Files): AnsibleVars {
  return merged([{ vars: tree.groups.get('all')?.vars ?? NO_VARS, vaults: [] }, vars('group', 'all')])
}

function merged(files: readonly AnsibleVars[]): AnsibleVars {
  return {
    vars: together(files.map(({ vars }) => vars)),
    vaults: files.flatMap(({ vaults }) => vaults),
  }
}

interface Said {
  readonly path: string
  readonly renamed: Readonly<Record<string, string | undefined>>
  readonly addresses: ReadonlyMap<string, string>
  readonly notice: (text: string) => void
}

function memberOf(host: KnownHost, fields: Fields, { path, renamed, addresses, notice }: Said) {
  const own = Object.entries(fields).map(([name, field]) => {
    const variable = renamed[name] ?? name
    return [name, checked(field, host, { variable, whose: host.name, path })] as const
  })
  const { ssh, become } = reachOf(host.name, host.vars, notice)
  const address = renamed['address'] === undefined ? undefined : host.vars.get(renamed['address'])?.value
  const found = typeof address === 'string' ? address : addresses.get(host.name)
  if (found === undefined)
    throw new Problem(`${path}: ${host.name} has no address that is known here`, {
      details: [`No address was found for the name ${hostNameOf(host.name, host.vars)}`],
      next: "Give it an ansible_host, or name the variable that holds it: vars: { address: 'private_ip' }.",
    })
  return {
    ...Object.fromEntries(own.filter(([, value]) => value !== undefined)),
    address: found,
    ssh,
    become,
  }
}

interface Place {
  readonly variable: string
  readonly whose: string
  readonly path: string
}

/** A value that fits its field; undefined where it may be left out. */
function checked(
  field: Field<unknown>,
  { vars, vaults }: AnsibleVars,
  { variable, whose, path }: Place,
): unknown {
  const { value: given, where } = vars.get(variable) ?? {}
  const value = given ?? undefined
  const place = where === undefined ? {} : { where }
  const closed = closedIn(value)
  if (closed)
    throw new Problem(`${path}: ${variable} of ${whose} ${closed.why}`, { ...place, next: closed.next })
  if (value === undefined && field.optional) return undefined
  if (value === undefined)
    throw new Problem(`${path}: ${variable} of ${whose} is not said; it should be ${field.expects}`, {
      details: vaults.map((file) => `${file} is encrypted with Ansible Vault, and was not read`),
      next:
        vaults.length > 0
          ? Closed.vault.next
          : `Is it called otherwise there? vars: { …: '${variable}' } says so.`,
    })
  if (field.check === credential.check)
    throw new Problem(
      `${path}: ${variable} of ${whose} is to be a secret, and stands there for all to read`,
      { ...place, next: Closed.vault.next },
    )
  const fit = field.check(value)
  if (fit !== undefined) return fit
  throw new Problem(
    `${path}: ${variable} of ${whose} should be ${field.expects}, got ${JSON.stringify(value)}`,
    place,
  )
}

function noGroup(name: string, { tree }: Files, path: string): Problem {
  const names = [...tree.groups.keys()]
  return new Problem(`${path} has no group "${name}"`, {
    next: `${didYouMean(name, names) ?? `There are ${names.join(', ')}.`} Another name is said with { from: '…' }.`,
  })
}

/** Of all hosts, by name; those that nobody knows are left out. */
async function addressesOf(hosts: readonly KnownHost[]): Promise<ReadonlyMap<string, string>> {
  const found = await Promise.all(
    hosts.map(async ({ name, vars }) => {
      const given = addressGiven(name, vars)
      if (given === undefined) return []
      if (isAddress(given)) return [[name, given] as const]
      const { address } = await lookup(given).catch(() => ({ address: undefined }))
      return address === undefined ? [] : [[name, address] as const]
    }),
  )
  return new Map(found.flat())
}

/** Undefined where it cannot be used: that is an error for a host that is asked for, and only then. */
function addressGiven(name: string, vars: Vars): string | undefined {
  const given = vars.get('ansible_ssh_host')?.value ?? vars.get('ansible_host')?.value ?? name
  return typeof given === 'string' && !/[\s[\]]/.test(given) ? given : undefined
}
