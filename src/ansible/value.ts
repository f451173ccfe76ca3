import { createRequire } from 'node:module'
import { isRecord } from '../model/fields.ts'
import { Problem } from '../model/problem.ts'

/** Variables by name. What is encrypted, or made by a template of Ansible, is a {@link Closed}: it is refused where it is used. */
export type Vars = Readonly<Record<string, unknown>>

/** A value that only Ansible could tell. */
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
    'Say it in the inventory itself: there it is an expression of TypeScript.',
  )
}

// Loaded with the first inventory of Ansible: it takes 50 ms.
const yaml = (): typeof import('yaml') => createRequire(import.meta.url)('yaml')

/** A whole file that is encrypted. */
export function isVault(text: string): boolean {
  return text.startsWith('$ANSIBLE_VAULT;')
}

/** A file of YAML, or of JSON. @throws Problem for what cannot be read */
export function yamlFile(text: string, path: string): unknown {
  const document = yaml().parseDocument(text, { customTags: [VAULT, UNSAFE], logLevel: 'error' })
  const [error] = document.errors
  if (error) {
    const [why] = error.message.split(/ at line \d+, column \d+:\n/)
    const [{ line, col }] = error.linePos ?? [{ line: 1, col: 1 }]
    throw new Problem(`${path} is no YAML: ${why}`, { where: `${path}:${line}:${col}` })
  }
  return open(document.toJS())
}

const VAULT = { tag: '!vault', resolve: () => Closed.vault }
const UNSAFE = { tag: '!unsafe', resolve: (text: string) => text }

/** A value of an INI file: a literal of Python (`8080`, `True`, `['a']`, `'text'`), else a text. */
export function iniValue(text: string): unknown {
  if (/^(True|False)$/.test(text)) return text === 'True'
  if (text === 'None') return undefined
  if (/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) && !/^[+-]?0\d/.test(text)) return Number(text)
  const quoted = /^(["'])(.*)\1$/.exec(text)
  if (quoted) return open(quoted[2])
  if (/^(\[|\{(?!\{)).*[\]}]$/.test(text)) return literal(text)
  return open(text)
}

/** Lists and dictionaries are near enough to YAML. */
function literal(text: string): unknown {
  try {
    return open(yaml().parse(text.replace(/\bTrue\b/g, 'true').replace(/\bFalse\b/g, 'false')))
  } catch {
    return open(text)
  }
}

/** Marks what is a template, however deep. */
function open(value: unknown): unknown {
  if (typeof value === 'string') return /\{\{.*\}\}|\{%/s.test(value) ? Closed.template : value
  if (Array.isArray(value)) return value.map(open)
  if (value instanceof Closed || !isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, open(one)]))
}
