import { Problem } from '../../model/problem.ts'

/** The value of a setting. In ini files it is a text, a number or a boolean. */
export type SettingValue =
  | string
  | number
  | boolean
  | null
  | readonly SettingValue[]
  | { readonly [key: string]: SettingValue }

/** The name of a setting; a list for one inside of sections or objects. A number is an index of a list. */
export type SettingKey = string | readonly [string, ...(string | number)[]]

/** The format of a configuration file. */
export type SettingFormat = 'ini' | 'json' | 'yaml' | 'toml'

/** One setting of a text. */
export interface SettingEdit {
  readonly path: string
  readonly text: string
  readonly names: readonly (string | number)[]
  /** Undefined to remove it. */
  readonly value: SettingValue | undefined
}

/** True if two values of a configuration are equal; the order of keys does not matter. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
    return a === b || (Number.isNaN(a) && Number.isNaN(b))
  if (a instanceof Date || b instanceof Date) return String(a) === String(b)
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [one, other] = [new Map(Object.entries(a)), new Map(Object.entries(b))]
  return one.size === other.size && [...one].every(([key, value]) => other.has(key) && sameValue(value, other.get(key)))
}

/** The problem that a value on the way to a setting has another type. */
export function notA(path: string, names: readonly (string | number)[], wanted: string): Problem {
  return new Problem(`${path}: ${names.length === 0 ? 'the whole' : names.join('.')} is not ${wanted}`, {
    next: 'Correct the key, or change the value on the host.',
  })
}
