import type { Field, Fields, OptionalKey, Out, Values } from './fields.ts'
import type { Group, Host } from './host.ts'

/** The groups and vars that playbooks require of an inventory. It is a value, so it is checked at run time, too. */
export interface InventorySchema<S extends Entries = Entries> {
  readonly entries: S
  /** Returns faults that types cannot detect, as sentences. */
  readonly faults: (values: InventoryValues<S>) => readonly string[]
}

/** A group of hosts in a schema, with the vars of each host. */
export interface GroupSchema<out V = Fields> {
  readonly type: 'hosts'
  readonly vars: V
  readonly atLeast: number
  /** True if an inventory may omit the group; playbooks then see a group without hosts. */
  readonly optional?: boolean
}

export interface OptionalGroupSchema<out V = Fields> extends GroupSchema<V> {
  readonly optional: true
}

export type Entries = Readonly<Record<string, Field<unknown> | GroupSchema<Fields>>>

/** The values of an inventory, as playbooks see them. */
export type InventoryValues<S> = {
  readonly [K in Exclude<keyof S, OptionalValue<S>>]: S[K] extends GroupSchema<infer V>
    ? Group<Host<Values<V>>>
    : Out<S[K]>
} & { readonly [K in OptionalValue<S>]?: Out<S[K]> }

/** Optional values, which are undefined if they are omitted. An omitted group is a group without hosts instead. */
type OptionalValue<S> = {
  [K in OptionalKey<S>]: S[K] extends GroupSchema<infer _V> ? never : K
}[OptionalKey<S>]

/** The type of the hosts of a group, as playbooks see them. */
export type HostOf<T, K extends keyof T> = T[K] extends Group<infer H> ? H : never

/**
 * Declares the groups and values that playbooks require of an inventory.
 *
 * @param rules further rules: each is a sentence that describes a fault, or false. They run before any host is connected.
 * @example inventorySchema({ domain: hostname, web: hosts({ workers: optional(integer({ min: 1 })) }) })
 */
export function inventorySchema<const S extends Entries>(
  entries: S,
  rules: (values: InventoryValues<S>) => readonly (string | false)[] = () => [],
): InventorySchema<S> {
  return Object.freeze({
    entries,
    faults: (values: InventoryValues<S>) => rules(values).filter((fault) => fault !== false),
  })
}

/** Returns the entries of a schema that these values lack. */
export function missingEntries({ entries }: { readonly entries: Entries }, values: object): readonly string[] {
  return Object.entries(entries).flatMap(([name, entry]) =>
    name in values || ('check' in entry && entry.optional) ? [] : [name],
  )
}

/** A group of hosts. @example inventorySchema({ web: hosts({ port }, { atLeast: 2 }), db: hosts() }) */
export function hosts(): GroupSchema<Record<never, never>>

/** A group that an inventory may omit. */
export function hosts<const V extends Fields>(vars: V, options: { readonly optional: true }): OptionalGroupSchema<V>

/**
 * A group whose hosts have vars.
 *
 * @param vars the vars of each host besides its address, set on the host or on its group
 * @param options the minimum number of hosts; one by default
 */
export function hosts<const V extends Fields>(vars: V, options?: { readonly atLeast?: number }): GroupSchema<V>

export function hosts(
  vars: Fields = {},
  { atLeast = 1, optional = false }: { readonly atLeast?: number; readonly optional?: boolean } = {},
): GroupSchema {
  return { type: 'hosts', vars, atLeast, ...(optional && { optional }) }
}
