import { createRequire } from 'node:module'
import type * as TomlPatch from '@decimalturn/toml-patch'
import type * as SmolToml from 'smol-toml'
import { Problem } from '../../model/problem.ts'
import { notA, type SettingEdit, sameValue } from './setting-values.ts'

// Loaded on first use.
const tomlPatch = (): typeof TomlPatch => createRequire(import.meta.url)('@decimalturn/toml-patch')
const smolToml = (): typeof SmolToml => createRequire(import.meta.url)('smol-toml')

/** The value of a setting; undefined if it is not set. @throws Problem for a text that is not TOML */
export function tomlValue({ path, text, names }: Omit<SettingEdit, 'value'>): unknown {
  return names.reduce<unknown>((at, name) => (isTable(at) ? at[String(name)] : undefined), parsed(path, text))
}

/** Sets one value of a TOML text, or removes it. Comments, order and layout stay. A second parser checks the result. */
export function editToml({ path, text, names, value }: SettingEdit): string {
  const table = parsed(path, text)
  const have = tomlValue({ path, text, names })
  if (have === undefined ? value === undefined : sameValue(have, value)) return text
  const wanted = changed(path, table, names, value)
  const ending = text.includes('\r\n') ? '\r\n' : '\n'
  const { patch, TomlFormat } = tomlPatch()
  const format = Object.assign(new TomlFormat(), {
    newLine: ending,
    trailingComma: false,
    inlineTableStart: 8,
    ...(text.trim() !== '' && { bracketSpacing: !/\[[^\s\]]/.test(text.replace(/^\s*\[.*$/gm, '')) }),
  })
  const result = text.trim() === '' ? tomlPatch().stringify(wanted, format) : patch(text, wanted, format)
  const found = attempted(() => smolToml().parse(result))
  if (!sameValue(found, wanted))
    throw new Error(`the editor of TOML would write another value than that of ${names.join('.')} into ${path}`)
  return result.endsWith(ending) ? result : result + ending
}

type Table = Readonly<Record<string, unknown>>

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null
}

/** A copy of the table with another value. @throws Problem if a value on the way is no table */
function changed(path: string, table: Table, names: SettingEdit['names'], value: unknown, at = 0): Table {
  const name = String(names[at])
  const copy: Record<string, unknown> = { ...table }
  if (at === names.length - 1) {
    if (value === undefined) delete copy[name]
    else copy[name] = value
    return Array.isArray(table) ? Object.assign([...table], copy) : copy
  }
  const inner = table[name] ?? {}
  if (!isTable(inner) || inner instanceof Date) throw notA(path, names.slice(0, at + 1), 'a table')
  copy[name] = changed(path, inner, names, value, at + 1)
  return Array.isArray(table) ? Object.assign([...table], copy) : copy
}

function parsed(path: string, text: string): Table {
  try {
    return smolToml().parse(text.replace(/^\ufeff/, ''))
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error)
    throw new Problem(`${path} is not valid TOML: ${reason}`, { next: 'Correct the file on the host.', cause: error })
  }
}

function attempted<T>(body: () => T): T | undefined {
  try {
    return body()
  } catch {
    return undefined
  }
}
