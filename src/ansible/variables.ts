import { isRecord } from '../model/inventory/fields.ts'

/** A variable and its location: `hosts.ini:12`. */
export interface Var {
  /** Encrypted values, templates and dates are {@link Unusable}. */
  readonly value: unknown
  readonly where: string
}

/** Variables by name. */
export type Vars = ReadonlyMap<string, Var>

export const NO_VARS: Vars = new Map()

/** Merges variables; later ones override earlier ones. */
export function mergeVars(all: readonly Vars[]): Vars {
  return new Map(all.flatMap((vars) => [...vars]))
}

/** A value that cannot be used here. It is an error only if it is used. */
export class Unusable {
  readonly why: string
  readonly next: string

  private constructor(why: string, next: string) {
    this.why = why
    this.next = next
  }

  static readonly vault = new Unusable(
    'is encrypted with Ansible Vault',
    "Use a secret source: secret.age('secrets/app.age'), secret.env('NAME') or secret.command('pass', 'show', 'name').",
  )

  static readonly template = new Unusable(
    'is an Ansible template ({{ … }})',
    'Write it in the inventory as a TypeScript expression.',
  )

  static readonly number = new Unusable(
    'is a number that JavaScript cannot hold exactly',
    'Quote it to make it a string: "\'12345678901234567890\'" in an INI file.',
  )

  static readonly date = new Unusable(
    'is a YAML date, which an inventory does not support',
    "Quote it to make it a string: '2024-01-31'.",
  )
}

/** A string that is not a template (`!unsafe`). */
export class Unsafe {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** The first unusable value in a value. */
export function findUnusable(value: unknown): Unusable | undefined {
  if (value instanceof Unusable) return value
  const inner = Array.isArray(value) ? value : isRecord(value) ? Object.values(value) : []
  return inner.map(findUnusable).find((one) => one !== undefined)
}

/** Replaces templates at any depth by {@link Unusable}. */
export function markTemplates(value: unknown): unknown {
  if (typeof value === 'string') return /\{\{.*\}\}|\{%/s.test(value) ? Unusable.template : value
  if (Array.isArray(value)) return value.map(markTemplates)
  if (value instanceof Unsafe) return value.text
  if (value instanceof Unusable || !isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, markTemplates(one)]))
}

/** A line of a file for messages, without the values of secrets. */
export function redactedLine(line: string): string {
  return line.trim().replace(/((?:pass\w*|secret\w*|token\w*|\w*_key)\s*[=:]\s*)\S.*$/i, '$1***')
}
