import type { OptionalKey, Out, Values } from './fields.ts'
import type { Become, Reach, Ssh, Timeouts } from './host.ts'
import type { Hosts } from './stack.ts'

/**
 * How the compiler checks an inventory against its stack: `Given` checks the type of each value, `Fits` reports missing and
 * unknown names. The order matters: errors of `Given` are in TypeScript's own words, at the value.
 */
export type Given<S> = Common & {
  readonly [K in keyof S]?: S[K] extends Hosts<infer V> ? GivenGroup<V> : Out<S[K]>
}

export type Fits<S, I> = IsConstraint<S, I> extends true ? unknown : Checked<S, I>

/** True where a value has a wrong type: the compiler then takes the constraint for `I`, of which nothing can be said. */
type IsConstraint<S, I> = keyof Given<S> extends keyof I ? (Given<S> extends I ? true : false) : false

type Checked<S, I> = {
  readonly [K in Exclude<keyof S & keyof I & string, OptionalKey<S>>]: FitsEntry<S[K], I[K], K>
} & {
  readonly [K in OptionalKey<S> & keyof I & string]?: FitsEntry<S[K], I[K], K>
} & {
  readonly [K in Exclude<keyof S, GivenKey<I> | OptionalKey<S>> &
    string]: InventoryError<`the stack asks for ${K}`>
} & NoMore<I, keyof S | keyof Common, 'the stack'>

type FitsEntry<E, G, K extends string> =
  E extends Hosts<infer V> ? NoMore<G, keyof V | keyof Common | 'hosts', K> & FitMembers<K, V, G> : unknown

interface Common {
  readonly ssh?: Ssh
  readonly become?: Become
  readonly timeouts?: Timeouts
}

type GivenGroup<V> = Common & {
  readonly hosts: Readonly<Record<string, Reach & Partial<Values<V>>>>
} & Partial<Values<V>>

/**
 * A compile error as a sentence. An object type, because a string type intersected with a number is `never`, which hides the text.
 * The command line finds the sentence in the compiler's output by this name.
 */
interface InventoryError<Text extends string> {
  readonly [error]: Text
}
declare const error: unique symbol

type FitMembers<K extends string, V, G> = {
  readonly hosts: G extends { readonly hosts: infer M }
    ? { readonly [N in keyof M]: FitHost<K, V, M[N], Lacking<V, G, M[N]>> }
    : unknown
}

/** The names of the vars that neither the host nor its group gives. A var that may be undefined counts as missing. */
type Lacking<V, G, H> = Exclude<keyof V, OptionalKey<V> | GivenKey<G> | GivenKey<H>> & string

type GivenKey<T> = { [P in keyof T]-?: undefined extends T[P] ? never : P }[keyof T]

/** One error at a time, so that the compiler's message stays short. */
type FitHost<K extends string, V, H, L extends string> = [L] extends [never]
  ? NoMore<H, keyof V | keyof Reach, K>
  : { readonly [P in L]: InventoryError<`${K} needs ${P}: give it here or for the whole group`> }

type NoMore<T, Known, K extends string> = {
  readonly [P in Exclude<keyof T, Known>]: InventoryError<`${K} has no ${P & string}`>
}
