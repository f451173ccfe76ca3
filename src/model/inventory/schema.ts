import type { Field, Fields, OptionalKey, Out, Values } from './fields.ts'
import type { Become, Group, Host, HostConnection, Ssh, Timeouts } from './host.ts'

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

/**
 * The compiler checks an inventory against its schema: `InventoryInput` checks the type of each value, `MatchesSchema` reports missing and
 * unknown names. The order matters: errors of `InventoryInput` are TypeScript's own, at the value.
 */
export type InventoryInput<S> = Common & {
  readonly [K in keyof S]?: S[K] extends GroupSchema<infer V> ? GroupInput<V> : Out<S[K]>
}

export type MatchesSchema<S, I> = IsConstraint<S, I> extends true ? unknown : Checked<S, I>

/** True if a value has a wrong type: the compiler then uses the constraint for `I`, whose names cannot be checked. */
type IsConstraint<S, I> = keyof InventoryInput<S> extends keyof I ? (InventoryInput<S> extends I ? true : false) : false

type Checked<S, I> = {
  readonly [K in Exclude<keyof S & keyof I & string, OptionalKey<S>>]: MatchesEntry<S[K], I[K], K>
} & {
  readonly [K in OptionalKey<S> & keyof I & string]?: MatchesEntry<S[K], I[K], K>
} & {
  readonly [K in Exclude<keyof S, GivenKey<I> | OptionalKey<S>> & string]: InventoryError<`the inventory needs ${K}`>
} & NoUnknown<I, keyof S | keyof Common, 'the inventory schema'>

type MatchesEntry<E, G, K extends string> =
  E extends GroupSchema<infer V> ? NoUnknown<G, keyof V | keyof Common | 'hosts', K> & MatchesHosts<K, V, G> : unknown

interface Common {
  readonly ssh?: Ssh
  readonly become?: Become
  readonly timeouts?: Timeouts
}

type GroupInput<V> = Common & {
  readonly hosts: Readonly<Record<string, HostConnection & Partial<Values<V>>>>
} & Partial<Values<V>>

/**
 * A compile error as a sentence. An object type, because a string type intersected with a number is `never`, which hides the text.
 * The command line finds the sentence in the compiler's output by this name.
 */
interface InventoryError<Text extends string> {
  readonly [error]: Text
}

declare const error: unique symbol

type MatchesHosts<K extends string, V, G> = {
  readonly hosts: G extends { readonly hosts: infer M }
    ? { readonly [N in keyof M]: MatchesHost<K, V, M[N], MissingVars<V, G, M[N]>> }
    : unknown
}

/** The names of the vars that neither the host nor its group sets. A var that may be undefined counts as missing. */
type MissingVars<V, G, H> = Exclude<keyof V, OptionalKey<V> | GivenKey<G> | GivenKey<H>> & string

type GivenKey<T> = { [P in keyof T]-?: undefined extends T[P] ? never : P }[keyof T]

/** One error at a time, so that the compiler's message stays short. */
type MatchesHost<K extends string, V, H, L extends string> = [L] extends [never]
  ? NoUnknown<H, keyof V | keyof HostConnection, K>
  : { readonly [P in L]: InventoryError<`${K} needs ${P}: give it here or for the whole group`> }

type NoUnknown<T, Known, K extends string> = {
  readonly [P in Exclude<keyof T, Known>]: InventoryError<`${K} has no ${P & string}`>
}
