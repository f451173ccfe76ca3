import type { OptionalKey, Out, Values } from './fields.ts'
import type { Become, Reach, Ssh } from './host.ts'
import type { Hosts } from './stack.ts'

/**
 * How the compiler holds an inventory against a stack: `Given` checks the type of each value, `Fits` what is missing or too
 * much. The order matters: what `Given` refuses is said in TypeScript's own words, at the value.
 */
export type Given<S> = Common & {
  readonly [K in keyof S]?: S[K] extends Hosts<infer V> ? GivenGroup<V> : Out<S[K]>
}

export type Fits<S, I> = {
  readonly [K in Exclude<keyof S & keyof I & string, OptionalKey<S>>]: FitsEntry<S[K], I[K], K>
} & {
  readonly [K in OptionalKey<S> & keyof I & string]?: FitsEntry<S[K], I[K], K>
} & {
  readonly [K in Exclude<keyof S, keyof I | OptionalKey<S>> & string]: Wrong<`the stack asks for ${K}`>
} & NoMore<I, keyof S | keyof Common, 'the stack'>

type FitsEntry<E, G, K extends string> =
  E extends Hosts<infer V> ? NoMore<G, keyof V | keyof Common | 'hosts', K> & FitMembers<K, V, G> : unknown

interface Common {
  readonly ssh?: Ssh
  readonly become?: Become
}

type GivenGroup<V> = Common & {
  readonly hosts: Readonly<Record<string, Reach & Partial<Values<V>>>>
} & Partial<Values<V>>

/** A compile error that says what to do. An object type: a text meets a number as `never`, and says nothing. */
interface Wrong<Text extends string> {
  readonly [wrong]: Text
}
declare const wrong: unique symbol

type FitMembers<K extends string, V, G> = {
  readonly hosts: G extends { readonly hosts: infer M }
    ? {
        readonly [N in keyof M]: NoMore<M[N], keyof V | keyof Reach, K> & {
          readonly [P in Exclude<keyof V, OptionalKey<V> | keyof G | keyof M[N]> &
            string]: Wrong<`${K} needs ${P}: say it here or for the whole group`>
        }
      }
    : unknown
}

type NoMore<T, Known, K extends string> = {
  readonly [P in Exclude<keyof T, Known>]: Wrong<`${K} has no ${P & string}`>
}
