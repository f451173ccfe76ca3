import { Shell } from '../shell/sh.ts'

/** The number of values that are compared; larger values count as different. */
const MOST = 2_000

/**
 * Compares plain values by their content: texts, numbers, lists, plain objects, and scripts. Other values, such as functions and secrets,
 * are equal only if they are the same.
 */
export function isEqual(a: unknown, b: unknown): boolean {
  let left = MOST
  const compare = (one: unknown, other: unknown): boolean => {
    if (Object.is(one, other)) return true
    if (typeof one !== 'object' || typeof other !== 'object' || !one || !other || left-- <= 0) return false
    if (one instanceof Shell) return other instanceof Shell && one.text === other.text
    if (Array.isArray(one) && Array.isArray(other))
      return one.length === other.length && one.every((value, i) => compare(value, other[i]))
    if (!isPlain(one) || !isPlain(other)) return false
    const entries = Object.entries(one)
    const others = new Map(Object.entries(other))
    return (
      entries.length === others.size &&
      entries.every(([key, value]) => others.has(key) && compare(value, others.get(key)))
    )
  }
  return compare(a, b)
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
