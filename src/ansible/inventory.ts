import { lookup } from 'node:dns/promises'
import { credential, type Field, type Fields, isAddress, type Out, type Values } from '../model/inventory/fields.ts'
import type { Become, Ssh } from '../model/inventory/host.ts'
import type { Entries, GroupSchema, InventorySchema } from '../model/inventory/schema.ts'
import { Problem } from '../model/problem.ts'
import { didYouMean } from '../shell/nearest.ts'
import { connectionOf, hostNameOf } from './connection.ts'
import { type InventoryFiles, readInventoryFiles } from './files.ts'
import { groupsOf, membersOf } from './tree.ts'
import { findUnusable, mergeVars, NO_VARS, Unusable, type Vars } from './variables.ts'

/** An Ansible inventory, as parts of an inventory of Provision. */
export interface AnsibleInventory<S extends Entries> {
  /**
   * A group with its hosts and the variables that the schema requires. Other variables are ignored.
   *
   * @throws Problem for an unknown group, and for variables that are missing, encrypted or of the wrong type
   */
  readonly group: <K extends GroupName<S>>(name: K, options?: AnsibleGroupOptions<S[K]>) => AnsibleGroup<S[K]>
  /**
   * A variable of the group `all`, as a value of the inventory.
   *
   * @param from its name in Ansible. @default the same
   * @throws Problem if it is missing, encrypted or of the wrong type
   */
  readonly value: <K extends ValueName<S>>(name: K, from?: string) => Out<S[K]>
}

/** Options of {@link fromAnsible}. */
export interface AnsibleOptions {
  /** Receives notices, such as about an ssh option without effect. @default they are written to stderr */
  readonly warn?: (text: string) => void
}

/** Options of {@link AnsibleInventory.group}. */
export interface AnsibleGroupOptions<H> {
  /** The group's name in Ansible. @default the same */
  readonly from?: string
  /** The names of variables in Ansible, if they differ: `{ port: 'http_port' }`; also of `address`. */
  readonly vars?: { readonly [V in keyof VarsOf<H> | 'address']?: string }
}

/** A group for an inventory. */
export interface AnsibleGroup<H> {
  readonly hosts: Readonly<Record<string, AnsibleHost<H>>>
}

type AnsibleHost<H> = { readonly address: string; readonly ssh: Ssh; readonly become: Become } & Values<VarsOf<H>>
type VarsOf<H> = H extends GroupSchema<infer V> ? V : Record<never, never>
type GroupName<S> = { [K in keyof S]: S[K] extends GroupSchema<infer _V> ? K : never }[keyof S] & string
type ValueName<S> = Exclude<keyof S, GroupName<S>> & string

/**
 * Reads an Ansible inventory (INI, or YAML by its extension) with the `group_vars` and `host_vars` beside it, so that both tools can share
 * it. The schema determines the used groups and variables and their types. Host names are resolved to addresses.
 *
 * @param path relative to where the command is run
 * @throws Problem for an error in the inventory, or a feature without counterpart
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
  const files = readInventoryFiles(path)
  const names = [...files.tree.hosts.keys()]
  const known = new Map(names.map((name) => [name, hostOf(files, name)] as const))
  const addresses = await addressesOf([...known.values()])
  const reported = new Set<string>()
  const notice = (text: string) => {
    if (!reported.has(text)) warn(`${path}: ${text}`)
    reported.add(text)
  }
  return {
    group: (name, { from = name, vars = {} } = {}) => {
      const entry: Entries[string] | undefined = entries[name]
      const fields = entry && 'type' in entry ? entry.vars : {}
      if (from !== 'all' && !files.tree.groups.has(from)) throw noGroup(from, files, path)
      const hosts = membersOf(files.tree, from).map((host) => {
        const one = known.get(host) ?? { name: host, vars: NO_VARS, vaults: [] }
        const renamed: Readonly<Record<string, string | undefined>> = vars
        return [host, hostEntry(one, fields, { path, renamed, addresses, notice })] as const
      })
      // Each value has been checked against its field.
      return { hosts: Object.fromEntries(hosts) } as unknown as AnsibleGroup<S[typeof name]>
    },
    value: (name, from = name) => {
      const all = allOf(files)
      const field: Entries[string] | undefined = entries[name]
      if (!field || 'type' in field) throw new TypeError(`${name} is not a value of the schema`)
      return checked(field, all, { variable: from, whose: 'the group all', path }) as Out<S[typeof name]>
    },
  }
}

interface AnsibleVars {
  readonly vars: Vars
  readonly vaults: readonly string[]
}

type KnownHost = AnsibleVars & { readonly name: string }

/** In Ansible's order: later variables override earlier ones. */
function hostOf({ tree, vars }: InventoryFiles, name: string): KnownHost {
  const groups = groupsOf(tree, name)
  const files = [
    ...['all', ...groups].map((group) => ({ vars: tree.groups.get(group)?.vars ?? NO_VARS, vaults: [] })),
    ...['all', ...groups].map((group) => vars('group', group)),
    { vars: tree.hosts.get(name) ?? NO_VARS, vaults: [] },
    vars('host', name),
  ]
  return { name, ...merged(files) }
}

function allOf({ tree, vars }: InventoryFiles): AnsibleVars {
  return merged([{ vars: tree.groups.get('all')?.vars ?? NO_VARS, vaults: [] }, vars('group', 'all')])
}

function merged(files: readonly AnsibleVars[]): AnsibleVars {
  return { vars: mergeVars(files.map(({ vars }) => vars)), vaults: files.flatMap(({ vaults }) => vaults) }
}

interface HostContext {
  readonly path: string
  readonly renamed: Readonly<Record<string, string | undefined>>
  readonly addresses: ReadonlyMap<string, string>
  readonly notice: (text: string) => void
}

function hostEntry(host: KnownHost, fields: Fields, { path, renamed, addresses, notice }: HostContext) {
  const own = Object.entries(fields).map(([name, field]) => {
    const variable = renamed[name] ?? name
    return [name, checked(field, host, { variable, whose: host.name, path })] as const
  })
  const { ssh, become } = connectionOf(host.name, host.vars, notice)
  const address = renamed['address'] === undefined ? undefined : host.vars.get(renamed['address'])?.value
  const found = typeof address === 'string' ? address : addresses.get(host.name)
  if (found === undefined)
    throw new Problem(`${path}: ${host.name} has no known address`, {
      details: [`No address was found for the name ${hostNameOf(host.name, host.vars)}`],
      next: "Set ansible_host, or name the variable with the address: vars: { address: 'private_ip' }.",
    })
  return { ...Object.fromEntries(own.filter(([, value]) => value !== undefined)), address: found, ssh, become }
}

interface VariablePlace {
  readonly variable: string
  readonly whose: string
  readonly path: string
}

/** A value that is valid for its field; undefined if it is missing and optional. */
function checked(
  field: Field<unknown>,
  { vars, vaults }: AnsibleVars,
  { variable, whose, path }: VariablePlace,
): unknown {
  const { value: given, where } = vars.get(variable) ?? {}
  const value = given ?? undefined
  const place = where === undefined ? {} : { where }
  const unusable = findUnusable(value)
  if (unusable) throw new Problem(`${path}: ${variable} of ${whose} ${unusable.why}`, { ...place, next: unusable.next })
  if (value === undefined && field.optional) return undefined
  if (value === undefined)
    throw new Problem(`${path}: ${variable} of ${whose} is not set; it should be ${field.expects}`, {
      details: vaults.map((file) => `${file} is encrypted with Ansible Vault, and was not read`),
      next: vaults.length > 0 ? Unusable.vault.next : `If Ansible has another name for it: vars: { …: 'NAME' }.`,
    })
  if (field.check === credential.check)
    throw new Problem(`${path}: ${variable} of ${whose} should be a secret but is stored in plain text`, {
      ...place,
      next: Unusable.vault.next,
    })
  const fit = field.check(value)
  if (fit !== undefined) return fit
  throw new Problem(`${path}: ${variable} of ${whose} should be ${field.expects}, got ${JSON.stringify(value)}`, place)
}

function noGroup(name: string, { tree }: InventoryFiles, path: string): Problem {
  const names = [...tree.groups.keys()]
  return new Problem(`${path} has no group "${name}"`, {
    next: `${didYouMean(name, names) ?? `There are ${names.join(', ')}.`} To use another name: { from: '…' }.`,
  })
}

/** The addresses of all hosts by name, without unresolvable ones. */
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

/** Undefined if it is invalid, which is an error only if the host is used. */
function addressGiven(name: string, vars: Vars): string | undefined {
  const given = vars.get('ansible_ssh_host')?.value ?? vars.get('ansible_host')?.value ?? name
  return typeof given === 'string' && !/[\s[\]]/.test(given) ? given : undefined
}
