import { createRequire } from 'node:module'
import type * as Yaml from 'yaml'
import { Problem } from '../model/problem.ts'
import { Unsafe, Unusable } from './variables.ts'

// Loaded on first use, because it takes 50 ms.
const yaml = (): typeof Yaml => createRequire(import.meta.url)('yaml')

/** A YAML mapping with the location of each value. */
export class YamlMap {
  readonly entries: ReadonlyMap<string, Located>

  constructor(entries: ReadonlyMap<string, Located>) {
    this.entries = entries
  }
}

export interface Located {
  /** A {@link YamlMap} for a mapping. */
  readonly value: unknown
  /** `group_vars/web.yml:3` */
  readonly where: string
}

/** Converts mappings to plain objects. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (!(value instanceof YamlMap)) return value
  return Object.fromEntries([...value.entries].map(([name, one]) => [name, plain(one.value)]))
}

/**
 * Parses a file like Ansible: as JSON if it is valid JSON, else as YAML 1.1 (`yes` is true, `0644` is octal, `<<` merges).
 *
 * @throws Problem with the line of an error
 */
export function yamlFile(text: string, path: string): Located {
  const lines = new (yaml().LineCounter)()
  const document = yaml().parseDocument(text, {
    schema: 'failsafe',
    version: '1.1',
    lineCounter: lines,
    logLevel: 'error',
  })
  const [error] = document.errors
  if (error) {
    const [why] = error.message.split(/ at line \d+, column \d+:\n/)
    const [{ line, col }] = error.linePos ?? [{ line: 1, col: 1 }]
    throw new Problem(`${path} is not valid YAML: ${why}`, { where: `${path}:${line}:${col}` })
  }
  return new Reader({ document, lines, path, json: isJson(text) }).read(document.contents)
}

interface Source {
  readonly document: Yaml.Document
  readonly lines: Yaml.LineCounter
  readonly path: string
  readonly json: boolean
}

class Reader {
  readonly #source: Source

  constructor(source: Source) {
    this.#source = source
  }

  read(node: unknown): Located {
    const found = this.#node(node)
    return { value: this.#value(found), where: this.#where(found) }
  }

  #node(node: unknown): Yaml.Node | null {
    if (!yaml().isNode(node)) return null
    if (!yaml().isAlias(node)) return node
    const found = node.resolve(this.#source.document)
    if (found) return found
    throw this.#fault(node, `There is no anchor &${node.source} above`, 'Define it before, or quote the text.')
  }

  #where(node: Yaml.Node | null): string {
    const { lines, path } = this.#source
    return `${path}:${lines.linePos(node?.range?.[0] ?? 0).line}`
  }

  #value(node: Yaml.Node | null): unknown {
    if (yaml().isScalar(node)) return this.#scalar(node)
    if (yaml().isMap(node)) {
      this.#tag(node, MAPS)
      return new YamlMap(this.#entries(node))
    }
    if (!yaml().isSeq(node)) return null
    this.#tag(node, LISTS)
    return node.items.map((item) => this.read(item).value)
  }

  #scalar(node: Yaml.Scalar): unknown {
    const tag = this.#tag(node, SCALARS)
    const text = String(node.value ?? '')
    if (tag === '!vault' || tag === '!vault-encrypted') return Unusable.vault
    if (tag === '!unsafe') return new Unsafe(text)
    if (tag === `${CORE}str` || tag === '!') return text
    const isPlain = node.type === 'PLAIN' || node.type === undefined
    if (tag === undefined && !isPlain) return text
    if (this.#source.json) return node.source === '' ? null : jsonScalar(node.source ?? text)
    const found = plainScalar(text)
    if (tag === undefined && (text === '=' || text === '<<'))
      throw this.#fault(node, `The value ${text} has a special meaning in YAML 1.1`, 'Quote it to make it a string.')
    if (tag === undefined || tag === `${CORE}${found.type}`) return found.value
    throw this.#fault(node, `This is not a valid ${tag.replace(CORE, '!!')}: ${text}`, 'Remove the tag.')
  }

  /** Own entries override merged ones; earlier merged mappings override later ones. */
  #entries(node: Yaml.YAMLMap): ReadonlyMap<string, Located> {
    const merged: [string, Located][] = []
    const own: [string, Located][] = []
    for (const { key, value } of node.items) {
      const name = this.#node(key)
      if (!yaml().isScalar(name))
        throw this.#fault(name, 'A key is a list or a mapping, which Ansible rejects', 'Use a name.')
      if (name.value === '<<' && name.type === 'PLAIN' && !this.#source.json)
        merged.unshift(...this.#merged(this.#node(value)))
      else {
        const at = this.#node(key) ?? null
        const { value: read } = this.read(value)
        const named = this.#key(name)
        own.push([named, { value: read, where: this.#where(at) }])
      }
    }
    return new Map([...merged, ...own])
  }

  #key(node: Yaml.Scalar): string {
    const value = this.#scalar(node)
    const isOdd =
      (node.source === '' && node.type === 'PLAIN') || (typeof value === 'number' && /[.]/.test(node.source ?? ''))
    const name = isOdd ? undefined : keyOf(value)
    if (name !== undefined) return name
    throw this.#fault(node, `A key is not supported: ${node.source}`, 'Quote it to make it a string.')
  }

  #merged(node: Yaml.Node | null): readonly [string, Located][] {
    if (yaml().isMap(node)) return [...this.#entries(node)]
    if (!yaml().isSeq(node))
      throw this.#fault(node, '<< should name a mapping, or a list of mappings', 'Use an alias: <<: *name.')
    return node.items.toReversed().flatMap((item) => {
      const one = this.#node(item)
      if (!yaml().isMap(one))
        throw this.#fault(one, '<< should name a mapping, or a list of mappings', 'Use an alias: <<: *name.')
      return [...this.#entries(one)]
    })
  }

  #tag(node: Yaml.Node, known: readonly string[]): string | undefined {
    const { tag } = node as { readonly tag?: string }
    if (tag === undefined || known.includes(tag)) return tag
    throw this.#fault(node, `The tag ${tag.replace(CORE, '!!')} is not supported`, 'Remove the tag.')
  }

  #fault(node: Yaml.Node | null, what: string, next: string): Problem {
    return new Problem(what, { where: this.#where(node), next })
  }
}

const CORE = 'tag:yaml.org,2002:'
const MAPS = [`${CORE}map`, '!']
const LISTS = [`${CORE}seq`, '!']
const SCALARS = [
  ...['str', 'int', 'float', 'bool', 'null'].map((type) => CORE + type),
  ...['!', '!vault', '!vault-encrypted', '!unsafe'],
]

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function jsonScalar(text: string): unknown {
  const value: unknown = JSON.parse(text)
  return typeof value === 'number' && !/[.e]/i.test(text) && !Number.isSafeInteger(value) ? Unusable.number : value
}

/** The key as in JSON; undefined if JSON writes it differently than Python. */
function keyOf(key: unknown): string | undefined {
  if (key instanceof Unsafe) return key.text
  const isName = key === null || ['string', 'boolean'].includes(typeof key) || Number.isSafeInteger(key)
  return isName ? String(key) : undefined
}

interface PlainScalar {
  readonly type: 'null' | 'bool' | 'int' | 'float' | 'str' | 'timestamp'
  readonly value: unknown
}

/** An unquoted scalar by the rules of PyYAML: those of YAML 1.1 except for `y`, `n` and `1e3`. */
function plainScalar(text: string): PlainScalar {
  if (/^(~|null|Null|NULL|)$/.test(text)) return { type: 'null', value: null }
  if (/^(yes|Yes|YES|true|True|TRUE|on|On|ON)$/.test(text)) return { type: 'bool', value: true }
  if (/^(no|No|NO|false|False|FALSE|off|Off|OFF)$/.test(text)) return { type: 'bool', value: false }
  if (INT.test(text)) return { type: 'int', value: whole(text) }
  if (FLOAT.test(text)) return { type: 'float', value: decimal(text) }
  if (DATE.test(text)) return { type: 'timestamp', value: Unusable.date }
  return { type: 'str', value: text }
}

const INT =
  /^(?:[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/
const FLOAT =
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/
const DATE =
  /^(?:\d{4}-\d\d-\d\d|\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?)$/

function whole(text: string): unknown {
  const { sign, digits } = parts(text)
  const octal = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined
  const value = sign * (octal ?? (digits.includes(':') ? sexagesimal(digits) : Number(digits)))
  if (!Number.isSafeInteger(value)) return Unusable.number
  return value === 0 ? 0 : value
}

function decimal(text: string): number {
  const { sign, digits } = parts(text.toLowerCase())
  if (digits === '.inf') return sign * Number.POSITIVE_INFINITY
  if (digits === '.nan') return Number.NaN
  return sign * (digits.includes(':') ? sexagesimal(digits) : Number(digits))
}

function parts(text: string): { readonly sign: 1 | -1; readonly digits: string } {
  return { sign: text.startsWith('-') ? -1 : 1, digits: text.replaceAll('_', '').replace(/^[-+]/, '') }
}

/** `1:30` is 90. */
function sexagesimal(digits: string): number {
  return digits.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
}
