// Writes the table of params into the README of each role, from the types: `node scripts/role-docs.js`.
// The rest of a README is written by hand. It takes sources as the formatter leaves them.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * @typedef {{ name: string, optional: boolean, type: string, text: string, standard: string }} Member
 * @typedef {ReadonlyMap<string, readonly Member[]>} Interfaces
 */

const ROLES = fileURLToPath(new URL('../roles/', import.meta.url))

/** `<!-- params NAME: … -->` asks for the table of that interface; without a name, for the first one whose name ends in Params. */
const SECTION = /(<!-- params(?: (\w+))?: made by scripts\/role-docs\.js -->\n)[\s\S]*?(<!-- end -->)/g

/** The READMEs with a table, each as it is and as it should be. */
export function readmes() {
  return readdirSync(ROLES).flatMap((role) => {
    const path = join(ROLES, role, 'README.md')
    const now = existsSync(path) ? readFileSync(path, 'utf8') : ''
    const wanted = now.replace(SECTION, (_all, begin, name, end) => `${begin}\n${table(role, name)}\n${end}`)
    return now.includes('<!-- params') ? [{ role, path, now, wanted }] : []
  })
}

/**
 * @param {string} role
 * @param {string | undefined} wanted
 */
function table(role, wanted) {
  const all = interfacesOf(role)
  const own = [...all].find(([name]) => (wanted === undefined ? name.endsWith('Params') : name === wanted))?.[1]
  if (!own) throw new Error(`roles/${role}/README.md asks for a table of ${wanted}, which is not in its params.ts`)
  const rows = own.flatMap((member) => rowsOf(member, all))
  const head = ['param', '', 'default', 'meaning']
  const widths = head.map((word, i) => Math.max(...[head, ...rows].map((row) => row[i]?.length ?? 0), word.length, 3))
  const line = (/** @type {readonly string[]} */ cells) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |\n`
  return `${line(head)}${line(widths.map((width) => '-'.repeat(width)))}${rows.map(line).join('')}`
}

/**
 * A row for the param, and one for each part of it that has words of its own.
 * @param {Member} member
 * @param {Interfaces} all
 * @param {string} [prefix]
 * @returns {string[][]}
 */
function rowsOf({ name, optional, type, text, standard }, all, prefix = '') {
  const parts = partsOf(type, all)
  const path = prefix + name
  const shown =
    (parts.length > 0 ? `{ ${parts.map(nameOf).join(', ')} }` : type) +
    (parts.length > 0 && /\[\]$/.test(type) ? '[]' : '')
  const row = [`\`${path}\``, `\`${shown.replaceAll('|', '\\|')}\``, optional ? standard || 'none' : '', text]
  return [row, ...parts.filter((part) => part.text !== '').flatMap((part) => rowsOf(part, all, `${path}.`))]
}

/** @param {Member} member */
function nameOf({ name, optional }) {
  return optional ? `${name}?` : name
}

/**
 * The members of an object that is declared in the type itself, or that has a name in the role.
 * @param {string} type
 * @param {Interfaces} all
 * @returns {readonly Member[]}
 */
function partsOf(type, all) {
  const bare = type
    .replace(/^readonly /, '')
    .replace(/\[\]$/, '')
    .replace(/ \| false$/, '')
  if (!bare.startsWith('{')) return all.get(bare) ?? []
  if (bare.includes('\n')) return membersOf(bare.slice(1, -1).replace(/^ {2}/gm, ''))
  return membersOf(
    bare
      .slice(1, -1)
      .split(';')
      .map((one) => `  ${one.trim()}`)
      .join('\n'),
  )
}

/**
 * The interfaces of a role's params.ts, of the params of other roles, and of files in roles/. Members that an interface inherits come first.
 * @param {string} role
 * @returns {Interfaces}
 */
function interfacesOf(role) {
  const others = readdirSync(ROLES).flatMap((name) => (name === role ? [] : [join(ROLES, name)]))
  const files = [join(ROLES, role), ...others].map((path) => (path.endsWith('.ts') ? path : join(path, 'params.ts')))
  const declared = files
    .filter((path) => existsSync(path))
    .flatMap((path) => [
      ...readFileSync(path, 'utf8').matchAll(/^export interface (\w+)(?:\s+extends\s+([^{]*?))? \{\n([\s\S]*?)^\}$/gm),
    ])
  /** @type {Map<string, readonly Member[]>} */
  const all = new Map()
  /** @type {(name: string) => readonly Member[]} */
  const ofName = (name) => {
    const known = all.get(name)
    if (known) return known
    const [, , bases = '', body = ''] = declared.find((one) => one[1] === name) ?? []
    const members = [
      ...basesOf(bases).flatMap(({ base, keys }) =>
        ofName(base).filter((one) => keys === undefined || keys.includes(one.name)),
      ),
      ...membersOf(body),
    ]
    all.set(name, members)
    return members
  }
  for (const [, name = ''] of declared) ofName(name)
  return all
}

/**
 * `A, Pick<B, 'x' | 'y'>` as names, each with the members that are picked.
 * @param {string} text
 * @returns {{ base: string, keys: readonly string[] | undefined }[]}
 */
function basesOf(text) {
  return [...text.matchAll(/Pick<\s*(\w+),([^>]*)>|(\w+)/g)].map(([, picked, keys = '', whole]) => ({
    base: picked ?? whole ?? '',
    keys: picked === undefined ? undefined : [...keys.matchAll(/'(\w+)'/g)].map(([, key = '']) => key),
  }))
}

/**
 * @param {string} body of an interface, its members two spaces in
 * @returns {readonly Member[]}
 */
function membersOf(body) {
  const found = body.matchAll(
    /(?:^ {2}\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n)?^ {2}readonly (\w+)(\??): (.*(?:\n(?: {3,}.*| {2}\}.*))*)/gm,
  )
  return [...found].map(([, doc = '', name = '', optional, type = '']) => {
    const words = doc
      .replace(/^\s*\* ?/gm, '')
      .replace(/\s+/g, ' ')
      .trim()
    const [text = '', standard = ''] = words.split(/ ?@default /)
    return {
      name,
      optional: optional === '?',
      type: type.trim(),
      text,
      standard: standard.replace(/\.$/, ''),
    }
  })
}

if (resolve(process.argv[1] ?? '') === fileURLToPath(import.meta.url))
  for (const { path, now, wanted } of readmes()) if (now !== wanted) writeFileSync(path, wanted)
