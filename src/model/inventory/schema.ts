import type { Field, Fields, OptionalKey, Out, Values } from './fields.ts'
import type { Group, Host } from './host.ts'

/** What playbooks ask of an inventory: which groups, which vars. A value, so it is checked at run time too. */
export interface InventorySchema<S extends Entries = Entries> {
  readonly entries: S
  /** What a type cannot say, in sentences; empty when all is well. */
  readonly faults: (values: InventoryValues<S>) => readonly string[]
}

/** A group of hosts in a stack, with the vars that each of them has. */
export interface GroupSchema<out V = Fields> {
  readonly type: 'hosts'
  readonly vars: V
  readonly atLeast: number
  /** Whether an inventory may leave the group out; playbooks see one without hosts then. */
  readonly optional?: boolean
}

export interface OptionalGroupSchema<out V = Fields> extends GroupSchema<V> {
  readonly optional: true
}

export type Entries = Readonly<Record<string, Field<unknown> | GroupSchema<Fields>>>

/** What a playbook sees of an inventory. */
export type InventoryValues<S> = {
  readonly [K in Exclude<keyof S, OptionalValue<S>>]: S[K] extends GroupSchema<infer V>
    ? Group<Host<Values<V>>>
    : Out<S[K]>
} & { readonly [K in OptionalValue<S>]?: Out<S[K]> }

/** What may be left out and is then not there at all; a group is there without hosts. */
type OptionalValue<S> = {
  [K in OptionalKey<S>]: S[K] extends GroupSchema<infer _V> ? never : K
}[OptionalKey<S>]

/** The hosts of one group of a stack, as playbooks see them. */
export type HostOf<T, K extends keyof T> = T[K] extends Group<infer H> ? H : never

/**
 * A contract between playbooks and inventories.
 *
 * @param rules further rules: each is a sentence for what is wrong, or false. They run before any host is touched.
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

/** What a stack asks for and these values lack. */
export function missingEntries(
  { entries }: { readonly entries: Entries },
  values: object,
): readonly string[] {
  return Object.entries(entries).flatMap(([name, entry]) =>
    name in values || ('check' in entry && entry.optional) ? [] : [name],
  )
}

/** A group of hosts. @example inventorySchema({ web: hosts({ port }, { atLeast: 2 }), db: hosts() }) */
export function hosts(): GroupSchema<Record<never, never>>

/** A group that an inventory may leave out. */
export function hosts<const V extends Fields>(
  vars: V,
  options: { readonly optional: true },
): OptionalGroupSchema<V>

/**
 * A group whose hosts have vars.
 *
 * @param vars what each host has beside its address, said by itself or for the whole group
 * @param options how many hosts there are at least; one unless told
 */
export function hosts<const V extends Fields>(
  vars: V,
  options?: { readonly atLeast?: number },
): GroupSchema<V>

export function hosts(
  vars: Fields = {},
  { atLeast = 1, optional = false }: { readonly atLeast?: number; readonly optional?: boolean } = {},
): GroupSchema {
  return { type: 'hosts', vars, atLeast, ...(optional && { optional }) }
}
