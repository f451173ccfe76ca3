import type { OptionalKey, Out, Values } from './fields.ts'
import type { Become, HostConnection, Ssh, Timeouts } from './host.ts'
import type { GroupSchema } from './schema.ts'

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
  readonly [K in Exclude<keyof S, GivenKey<I> | OptionalKey<S>> & string]: InventoryError<`the stack asks for ${K}`>
} & NoUnknown<I, keyof S | keyof Common, 'the stack'>

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
