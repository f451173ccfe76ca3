import { isRecord } from '../model/inventory/fields.ts'

/** A variable, and where it stands: `hosts.ini:12`. */
export interface Var {
  /** An encrypted value, a template and a date of Python are {@link Closed}. */
  readonly value: unknown
  readonly where: string
}

/** Variables by name. */
export type Vars = ReadonlyMap<string, Var>

export const NO_VARS: Vars = new Map()

/** All of them; a later one replaces an earlier one of the same name. */
export function together(all: readonly Vars[]): Vars {
  return new Map(all.flatMap((vars) => [...vars]))
}

/** A value that cannot be had from here. It is refused where it is used. */
export class Closed {
  readonly why: string
  readonly next: string

  private constructor(why: string, next: string) {
    this.why = why
    this.next = next
  }

  static readonly vault = new Closed(
    'is encrypted with Ansible Vault',
    "Keep it as a secret here: secret.age('secrets/app.age'), secret.env('NAME') or secret.command('pass', 'show', 'name').",
  )

  static readonly template = new Closed(
    'is made by a template of Ansible ({{ … }})',
    'Write it in the inventory itself, as an expression of TypeScript.',
  )

  static readonly number = new Closed(
    'is a number that JavaScript cannot hold exactly',
    'Put it in quotes to make it a text: "\'12345678901234567890\'" in an INI file.',
  )

  static readonly date = new Closed(
    'is a date in YAML, and none of the values of an inventory',
    "Put it in quotes to make it a text: '2024-01-31'.",
  )
}

/** A text that is no template, whatever stands in it (`!unsafe`). */
export class Unsafe {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** The first value within that cannot be had. */
export function closedIn(value: unknown): Closed | undefined {
  if (value instanceof Closed) return value
  const inner = Array.isArray(value) ? value : isRecord(value) ? Object.values(value) : []
  return inner.map(closedIn).find((one) => one !== undefined)
}

/** Marks templates, however deep they stand. */
export function open(value: unknown): unknown {
  if (typeof value === 'string') return /\{\{.*\}\}|\{%/s.test(value) ? Closed.template : value
  if (Array.isArray(value)) return value.map(open)
  if (value instanceof Unsafe) return value.text
  if (value instanceof Closed || !isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, open(one)]))
}

/** A line of a file as evidence, without what follows the name of a secret. */
export function shown(line: string): string {
  return line.trim().replace(/((?:pass\w*|secret\w*|token\w*|\w*_key)\s*[=:]\s*)\S.*$/i, '$1***')
}
