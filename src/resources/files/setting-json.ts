import { createRequire } from 'node:module'
import type * as Jsonc from 'jsonc-parser'
import { Problem } from '../../model/problem.ts'
import { notA, type SettingEdit, sameValue } from './setting-values.ts'

// Loaded on first use.
const jsonc = (): typeof Jsonc => createRequire(import.meta.url)('jsonc-parser')

/** The value of a setting; undefined if it is not set. @throws Problem for a text that is not JSON */
export function jsonValue({ path, text, names }: Omit<SettingEdit, 'value'>): unknown {
  const root = parsed(path, text)
  const node = root && jsonc().findNodeAtLocation(root, [...names])
  return node && jsonc().getNodeValue(node)
}

/** Sets one value of a JSON text, or removes it. Comments, order and indentation stay. */
export function editJson({ path, text, names, value }: SettingEdit): string {
  const root = parsed(path, text)
  if (!root && value === undefined) return text
  if (root) checkPlace(path, root, names)
  const have = root && jsonc().findNodeAtLocation(root, [...names])
  if (have ? sameValue(jsonc().getNodeValue(have), value) : value === undefined) return text
  const formattingOptions = {
    insertSpaces: !/^\t/m.test(text),
    tabSize: indentOf(text),
    eol: text.includes('\r\n') ? '\r\n' : '\n',
  }
  const added = root && value !== undefined ? addedLine(root, { path, text, names, value }) : undefined
  if (added !== undefined) return added
  const rest = have && value === undefined ? withoutLines(have, text) : undefined
  if (rest !== undefined) return rest
  const edits = jsonc().modify(root ? text : '{}', [...names], value, { formattingOptions })
  const changed = jsonc().applyEdits(root ? text : '{}', edits)
  return root && !text.endsWith('\n') ? changed : `${changed.trimEnd()}\n`
}

/**
 * The text with a new line for a name that an object of several lines lacks; undefined for other changes. The library would lay out the
 * line before again, and move its comment.
 */
function addedLine(root: Jsonc.Node, { text, names, value }: SettingEdit): string | undefined {
  const depth = names.findIndex((_name, i) => !jsonc().findNodeAtLocation(root, names.slice(0, i + 1)))
  const object = depth >= 0 ? jsonc().findNodeAtLocation(root, names.slice(0, depth)) : undefined
  const last = object?.children?.at(-1)
  if (object?.type !== 'object' || !last) return undefined
  const end = object.offset + object.length - 1
  const ending = text.includes('\r\n') ? '\r\n' : '\n'
  const [, indent] = /\n([ \t]*)$/.exec(text.slice(0, last.offset)) ?? []
  if (indent === undefined || !/\n[ \t]*$/.test(text.slice(0, end))) return undefined
  const [name, ...inner] = names.slice(depth)
  const whole = inner.reduceRight<unknown>(
    (below, one) => (typeof one === 'number' ? [below] : { [one]: below }),
    value,
  )
  const unit = /^\t/m.test(text) ? '\t' : indentOf(text)
  const line = `${JSON.stringify(name)}: ${JSON.stringify(whole, null, unit)}`.replaceAll('\n', ending + indent)
  const cut = last.offset + last.length
  const rest = text.slice(cut, end).trimEnd()
  const hasComma = jsonc().stripComments(rest).includes(',')
  return `${text.slice(0, cut)}${hasComma ? '' : ','}${rest}${ending}${indent}${line}${text.slice(cut + rest.length)}`
}

/** The text without the lines of a value; undefined if they hold something else. The library would remove comments after them, too. */
function withoutLines({ parent }: Jsonc.Node, text: string): string | undefined {
  const siblings = parent?.parent?.children
  if (parent?.type !== 'property' || !siblings) return undefined
  const begin = text.lastIndexOf('\n', parent.offset) + 1
  const end = parent.offset + parent.length
  const [tail] = /^[ \t]*,?[ \t]*(?:\/\/[^\n]*|\/\*[^\n]*?\*\/[ \t]*)?\r?\n/.exec(text.slice(end)) ?? []
  if (begin === 0 || text.slice(begin, parent.offset).trim() !== '' || tail === undefined) return undefined
  const before = siblings[siblings.indexOf(parent) - 1]
  const isLast = siblings.at(-1) === parent
  // The comma before the last value goes, unless the file has a comma after each.
  const bare = jsonc().stripComments(text, ' ')
  const comma =
    isLast && before && !bare.slice(end, end + tail.length).includes(',')
      ? bare.indexOf(',', before.offset + before.length)
      : -1
  const head = comma === -1 ? text.slice(0, begin) : text.slice(0, comma) + text.slice(comma + 1, begin)
  return head + text.slice(end + tail.length)
}

/** Undefined for an empty text. */
function parsed(path: string, text: string): Jsonc.Node | undefined {
  if (text.trim() === '') return undefined
  const errors: Jsonc.ParseError[] = []
  const root = jsonc().parseTree(text.replace(/^\ufeff/, ' '), errors, { allowTrailingComma: true })
  const [error] = errors
  if (root && !error) return root
  const line = text.slice(0, error?.offset).split('\n').length
  const reason = error ? jsonc().printParseErrorCode(error.error) : 'no value'
  throw new Problem(`${path} is not valid JSON: ${reason} in line ${line}`, { next: 'Correct the file on the host.' })
}

/** @throws Problem if a name occurs twice on the way, or if a value there is no object */
function checkPlace(path: string, root: Jsonc.Node, names: SettingEdit['names']): void {
  let node: Jsonc.Node | undefined = root
  for (const [i, name] of names.entries()) {
    if (!node) return
    const wanted = typeof name === 'number' ? 'array' : 'object'
    if (node.type !== wanted) throw notA(path, names.slice(0, i), wanted === 'array' ? 'a list' : 'an object')
    if (typeof name === 'number') {
      if (name > (node.children?.length ?? 0)) throw notA(path, names.slice(0, i), `a list of ${name} or more values`)
      node = node.children?.[name]
      continue
    }
    const own = node.children?.filter(({ children }) => children?.[0]?.value === name) ?? []
    if (own.length > 1)
      throw new Problem(`${path} has ${names.slice(0, i + 1).join('.')} twice`, {
        next: 'Remove one of them on the host: programs differ in which one they use.',
      })
    node = own[0]?.children?.[1]
  }
}

function indentOf(text: string): number {
  return /^( +)\S/m.exec(text)?.[1]?.length ?? 2
}
