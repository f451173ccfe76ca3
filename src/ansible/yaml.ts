import { createRequire } from 'node:module'
import type * as Yaml from 'yaml'
import { Problem } from '../model/problem.ts'
import { Closed, Unsafe } from './value.ts'
import { plainScalar } from './yaml-scalar.ts'

// Loaded with the first inventory of Ansible: it takes 50 ms.
const yaml = (): typeof Yaml => createRequire(import.meta.url)('yaml')

/** A mapping of YAML with the place of each value; other values are as they are. */
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

/** Lists and mappings as plain values. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (!(value instanceof YamlMap)) return value
  return Object.fromEntries([...value.entries].map(([name, one]) => [name, plain(one.value)]))
}

/**
 * Reads a file as Ansible does: as JSON if it is JSON, else by the rules of YAML 1.1 (`yes` is true, `0644` is octal, `<<` merges).
 *
 * @throws Problem that names the line of what cannot be read
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
    throw new Problem(`${path} is no YAML: ${why}`, { where: `${path}:${line}:${col}` })
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
    throw this.#fault(
      node,
      `There is no anchor &${node.source} above`,
      'Name one that stands above, or put the text in quotes.',
    )
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
    if (tag === '!vault' || tag === '!vault-encrypted') return Closed.vault
    if (tag === '!unsafe') return new Unsafe(text)
    if (tag === `${CORE}str` || tag === '!') return text
    const isPlain = node.type === 'PLAIN' || node.type === undefined
    if (tag === undefined && !isPlain) return text
    if (this.#source.json) return node.source === '' ? null : jsonScalar(node.source ?? text)
    const found = plainScalar(text)
    if (tag === undefined && (text === '=' || text === '<<'))
      throw this.#fault(
        node,
        `The value ${text} has a meaning of its own in YAML 1.1`,
        'Put it in quotes to make it a text.',
      )
    if (tag === undefined || tag === `${CORE}${found.type}`) return found.value
    throw this.#fault(node, `This is no ${tag.replace(CORE, '!!')}: ${text}`, 'Take the tag away.')
  }

  /** Own entries replace merged ones, and a mapping that is merged earlier goes before a later one. */
  #entries(node: Yaml.YAMLMap): ReadonlyMap<string, Located> {
    const merged: [string, Located][] = []
    const own: [string, Located][] = []
    for (const { key, value } of node.items) {
      const name = this.#node(key)
      if (!yaml().isScalar(name))
        throw this.#fault(
          name,
          'A key is a list or a mapping, which Ansible does not take',
          'Give it a name.',
        )
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
      (node.source === '' && node.type === 'PLAIN') ||
      (typeof value === 'number' && /[.]/.test(node.source ?? ''))
    const name = isOdd ? undefined : keyOf(value)
    if (name !== undefined) return name
    throw this.#fault(node, `A key cannot be read: ${node.source}`, 'Put it in quotes to make it a text.')
  }

  #merged(node: Yaml.Node | null): readonly [string, Located][] {
    if (yaml().isMap(node)) return [...this.#entries(node)]
    if (!yaml().isSeq(node))
      throw this.#fault(
        node,
        '<< should name a mapping, or a list of mappings',
        'Name one by its alias: <<: *name.',
      )
    return node.items.toReversed().flatMap((item) => {
      const one = this.#node(item)
      if (!yaml().isMap(one))
        throw this.#fault(
          one,
          '<< should name a mapping, or a list of mappings',
          'Name one by its alias: <<: *name.',
        )
      return [...this.#entries(one)]
    })
  }

  #tag(node: Yaml.Node, known: readonly string[]): string | undefined {
    const { tag } = node as { readonly tag?: string }
    if (tag === undefined || known.includes(tag)) return tag
    throw this.#fault(
      node,
      `The tag ${tag.replace(CORE, '!!')} is not read from an inventory of Ansible`,
      'Write the value without it.',
    )
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
  return typeof value === 'number' && !/[.e]/i.test(text) && !Number.isSafeInteger(value)
    ? Closed.number
    : value
}

/** As JSON writes it. Undefined for a key that JSON does not write as Python does. */
function keyOf(key: unknown): string | undefined {
  if (key instanceof Unsafe) return key.text
  const isName = key === null || ['string', 'boolean'].includes(typeof key) || Number.isSafeInteger(key)
  return isName ? String(key) : undefined
}
