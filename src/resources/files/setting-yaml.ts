import { createRequire } from 'node:module'
import type * as Yaml from 'yaml'
import { Problem } from '../../model/problem.ts'
import { notA, type SettingEdit, type SettingValue, sameValue } from './setting-values.ts'

// Loaded on first use, because it takes 50 ms.
const yaml = (): typeof Yaml => createRequire(import.meta.url)('yaml')

/** The value of a setting; undefined if it is not set. @throws Problem for a text that is not YAML */
export function yamlValue({ path, text, names }: Omit<SettingEdit, 'value'>): unknown {
  const document = parsed(path, text)
  return document.hasIn(names) ? plainAt(document, names) : undefined
}

/**
 * Sets one value of a YAML text, or removes it. A plain value is replaced where it is, so all other bytes stay. Other changes write the
 * document again, with its comments and its order.
 */
export function editYaml({ path, text, names, value }: SettingEdit): string {
  const document = parsed(path, text)
  checkPlace(path, document, names)
  const isThere = document.hasIn(names)
  if (value === undefined ? !isThere : isThere && isSame(text, names, value)) return text
  const minimal = value === undefined ? undefined : replaced(document, text, names, value)
  if (minimal !== undefined) return minimal
  if (value === undefined) document.deleteIn(names)
  else setValue(document, names, value)
  return document.toString({ lineWidth: 0, indent: indentOf(text) })
}

/** Sets a value; an empty value on the way becomes a mapping or a list. */
function setValue(document: Yaml.Document, names: SettingEdit['names'], value: SettingValue): void {
  const isEmpty = (i: number) => {
    const node = document.getIn(names.slice(0, i), true)
    return yaml().isScalar(node) && node.value === null
  }
  const depth = names.findIndex((_name, i) => i > 0 && isEmpty(i))
  const [above, below] = depth === -1 ? [names, []] : [names.slice(0, depth), names.slice(depth)]
  const whole = below.reduceRight<SettingValue>((at, one) => (typeof one === 'number' ? [at] : { [one]: at }), value)
  document.setIn(above, nodeFor(document, whole))
}

/** The text with another scalar in place of a scalar of one line; undefined if either is something else. */
function replaced(
  document: Yaml.Document,
  text: string,
  names: SettingEdit['names'],
  value: SettingValue,
): string | undefined {
  const node = document.getIn(names, true)
  if (!yaml().isScalar(node) || !node.range || typeof value === 'object') return undefined
  const [begin, end] = node.range
  const old = text.slice(begin, end)
  const written = scalar(value)
  if (old === '' || old.includes('\n') || written.includes('\n')) return undefined
  const result = text.slice(0, begin) + written + text.slice(end)
  document.setIn(names, value)
  return sameValue(plain(result, '1.2'), document.toJS()) ? result : undefined
}

/** Programs read YAML 1.1 or 1.2: `yes` is a boolean in one and a text in the other. */
const VERSIONS = ['1.1', '1.2'] as const

/** True if both versions of YAML read this value there. */
function isSame(text: string, names: SettingEdit['names'], value: SettingValue): boolean {
  return VERSIONS.every((version) => {
    const document = yaml().parseDocument(text, { version, logLevel: 'error' })
    return document.errors.length === 0 && sameValue(plainAt(document, names), value)
  })
}

/** A node with quotes around each text that a version of YAML would read as something else. */
function nodeFor(document: Yaml.Document, value: SettingValue): Yaml.Node {
  const node = document.createNode(value)
  yaml().visit(node, {
    Scalar: (_key, one) => {
      if (typeof one.value === 'string' && isAmbiguous(one.value)) one.type = 'QUOTE_DOUBLE'
    },
  })
  return node
}

function scalar(value: string | number | boolean | null): string {
  if (typeof value === 'string' && isAmbiguous(value)) return JSON.stringify(value)
  return yaml().stringify(value, { lineWidth: 0, version: '1.2' }).trimEnd()
}

function isAmbiguous(value: string): boolean {
  const written = yaml().stringify(value, { lineWidth: 0 }).trimEnd()
  return VERSIONS.some((version) => plain(written, version) !== value)
}

function plain(text: string, version: (typeof VERSIONS)[number]): unknown {
  const document = yaml().parseDocument(text, { version, logLevel: 'error' })
  return document.errors.length > 0 ? undefined : document.toJS()
}

function plainAt(document: Yaml.Document, names: SettingEdit['names']): unknown {
  const node = document.getIn(names, true)
  return yaml().isNode(node) ? node.toJS(document) : node
}

function parsed(path: string, text: string): Yaml.Document {
  const [document, second] = yaml().parseAllDocuments(text, { keepSourceTokens: true, logLevel: 'error' })
  if (second) throw new Problem(`${path} has several YAML documents`, { next: 'Write it with a file step.' })
  if (!document) return new (yaml().Document)({})
  const [error] = document.errors
  if (!error) return document
  const [why] = error.message.split(/ at line \d+, column \d+:\n/)
  throw new Problem(`${path} is not valid YAML: ${why} in line ${error.linePos?.[0].line ?? 1}`, {
    next: 'Correct the file on the host.',
    cause: error,
  })
}

/** @throws Problem if a value on the way has another type, or is shared with other places of the file */
function checkPlace(path: string, document: Yaml.Document, names: SettingEdit['names']): void {
  for (const i of names.keys()) {
    const node = i === 0 ? document.contents : document.getIn(names.slice(0, i), true)
    if (node === null || node === undefined || (yaml().isScalar(node) && node.value === null)) return
    const wanted = typeof names[i] === 'number' ? 'a list' : 'a mapping'
    if (yaml().isAlias(node)) throw shared(path, names.slice(0, i), node.source)
    if (wanted === 'a list' ? !yaml().isSeq(node) : !yaml().isMap(node)) throw notA(path, names.slice(0, i), wanted)
    if (yaml().isCollection(node) && node.anchor) throw shared(path, names.slice(0, i), node.anchor)
  }
  const last = document.getIn(names, true)
  if ((yaml().isScalar(last) || yaml().isCollection(last)) && last.anchor) throw shared(path, names, last.anchor)
}

function shared(path: string, names: SettingEdit['names'], anchor: string): Problem {
  return new Problem(`${path}: ${names.join('.')} is shared with other places by the anchor ${anchor}`, {
    next: 'Give it a value of its own on the host, or write the whole file with a file step.',
  })
}

function indentOf(text: string): number {
  return Math.max(1, /^( +)[^\s#-]/m.exec(text)?.[1]?.length ?? 2)
}
