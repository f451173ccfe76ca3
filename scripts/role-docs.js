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
const SECTION = /(<!-- params: made by scripts\/role-docs\.js -->\n)[\s\S]*?(<!-- end -->)/

/** The READMEs that have a place for the table, each as it is and as it should be. */
export function readmes() {
  return readdirSync(ROLES).flatMap((role) => {
    const path = join(ROLES, role, 'README.md')
    const now = existsSync(path) ? readFileSync(path, 'utf8') : ''
    if (!SECTION.test(now)) return []
    return [{ role, path, now, wanted: now.replace(SECTION, `$1\n${table(role)}\n$2`) }]
  })
}

/** @param {string} role */
function table(role) {
  // Roles share some.
  const all = new Map([...interfacesOf(join(ROLES, role)), ...interfacesOf(ROLES)])
  const own = [...all].find(([name]) => name.endsWith('Params'))?.[1] ?? []
  const rows = own.flatMap((member) => rowsOf(member, all))
  const head = ['param', '', 'default', 'meaning']
  const widths = head.map((word, i) =>
    Math.max(...[head, ...rows].map((row) => row[i]?.length ?? 0), word.length, 3),
  )
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
 * The members of an object that stands in the type itself, or that has a name in the role.
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

/** @param {string} directory of a role */
function interfacesOf(directory) {
  const texts = readdirSync(directory)
    .filter((name) => name.endsWith('.ts'))
    .sort((a, b) => Number(b === 'index.ts') - Number(a === 'index.ts'))
    .map((name) => readFileSync(join(directory, name), 'utf8'))
  return new Map(
    texts.flatMap((text) =>
      [...text.matchAll(/^export interface (\w+) \{\n([\s\S]*?)^\}$/gm)].map(
        ([, name = '', body = '']) => /** @type {const} */ ([name, membersOf(body)]),
      ),
    ),
  )
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
