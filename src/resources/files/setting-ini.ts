import type { SettingEdit } from './setting-values.ts'

/** The value of a setting as text; undefined if it is not set. */
export function iniValue({ text, names }: Omit<SettingEdit, 'value'>): string | undefined {
  const { lines } = split(text)
  const { section, name } = placeOf(names)
  const found = settingsIn(lines, section).find((one) => one.name === name)
  return found && (found.length === 1 ? found.value : lines.slice(found.at, found.at + found.length).join('\n'))
}

/**
 * Sets one line of an ini file, or removes it. A comment behind the old value moves to a line of its own: dialects differ in whether a value
 * may be followed by a comment.
 */
export function editIni({ text, names, value }: SettingEdit, separator?: string): string {
  const { lines, ending } = split(text)
  const { section, name } = placeOf(names)
  const own = settingsIn(lines, section).filter((one) => one.name === name)
  const [first] = own
  if (value === undefined) return own.length === 0 ? text : joined(without(lines, own), ending)
  const wanted = String(value)
  if (first) {
    if (own.length === 1 && first.length === 1 && first.value === wanted) return text
    const line = `${first.indent}${first.written}${first.separator}${wanted}`
    const comment = first.length === 1 ? /\s([;#].*)$/.exec(first.value)?.[1] : undefined
    const isMoved = comment !== undefined && !/["'].*\s[;#].*["']/.test(first.value)
    const others = without(lines, own.slice(1))
    return joined(
      [
        ...others.slice(0, first.at),
        ...(isMoved ? [`${first.indent}${comment}`] : []),
        line,
        ...others.slice(first.at + first.length),
      ],
      ending,
    )
  }
  const style = settingsIn(lines, section)[0] ?? settingsEverywhere(lines)[0]
  const line = `${style?.indent ?? ''}${name}${separator ?? style?.separator ?? ' = '}${wanted}`
  const at = newPlace(lines, section, name)
  if (at !== undefined) return joined([...lines.slice(0, at), line, ...lines.slice(at)], ending)
  const gap = lines.length > 0 && lines.at(-1) !== '' ? [''] : []
  return joined([...lines, ...gap, `[${section}]`, line], ending)
}

interface IniSetting {
  readonly name: string
  /** The name as it is written, without the indentation. */
  readonly written: string
  readonly indent: string
  readonly separator: string
  readonly value: string
  /** The index of its first line, and the number of its lines. */
  readonly at: number
  readonly length: number
}

function placeOf(names: SettingEdit['names']) {
  const [first, second] = names.map(String)
  return second === undefined ? { section: undefined, name: first ?? '' } : { section: first, name: second }
}

const SECTION = /^\s*\[(.+?)\]\s*(?:[;#].*)?$/
const COMMENT = /^\s*(?:[;#]|$)/
const ASSIGNMENT = /^(\s*)([^=:\s][^=:]*?)(\s*[=:]\s*)(.*)$/

/** The settings of all sections of this name; of the lines before the first section, if it is undefined. */
function settingsIn(lines: readonly string[], section: string | undefined): readonly IniSetting[] {
  let current: string | undefined
  const found: IniSetting[] = []
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    const header = SECTION.exec(line)?.[1]
    if (header !== undefined) current = header.trim()
    if (header !== undefined || COMMENT.test(line)) continue
    const [, indent = '', written = line.trim(), separator = '', value = ''] = ASSIGNMENT.exec(line) ?? []
    const length = linesOfValue(lines, at, indent.length)
    if (current === section)
      found.push({ name: written, written, indent, separator, value: value.trimEnd(), at, length })
    at += length - 1
  }
  return found
}

/** A value continues on lines that are indented deeper than its name, and after a backslash. */
function linesOfValue(lines: readonly string[], at: number, indent: number): number {
  let length = 1
  for (; at + length < lines.length; length++) {
    const [before = '', line = ''] = [lines[at + length - 1], lines[at + length]]
    const isDeeper =
      !COMMENT.test(line) &&
      !SECTION.test(line) &&
      /^\s*/.exec(line)?.[0].length !== undefined &&
      indentOf(line) > indent
    if (!before.endsWith('\\') && !isDeeper) break
  }
  return length
}

function indentOf(line: string): number {
  return /^\s*/.exec(line)?.[0].length ?? 0
}

function settingsEverywhere(lines: readonly string[]): readonly IniSetting[] {
  const sections = new Set(lines.map((line) => SECTION.exec(line)?.[1]?.trim()))
  return [...new Set([undefined, ...sections])].flatMap((section) => settingsIn(lines, section))
}

/** After a comment that shows the setting, else after the last setting of the section; undefined if the section is missing. */
function newPlace(lines: readonly string[], section: string | undefined, name: string): number | undefined {
  const begin = section === undefined ? -1 : lines.findIndex((line) => SECTION.exec(line)?.[1]?.trim() === section)
  if (section !== undefined && begin === -1) return undefined
  const next = lines.findIndex((line, i) => i > begin && SECTION.test(line))
  const end = next === -1 ? lines.length : next
  for (let at = begin + 1; at < end; at++) {
    const shown = /^\s*[;#]\s?(.*)$/.exec(lines[at] ?? '')?.[1]
    if (shown !== undefined && ASSIGNMENT.exec(shown)?.[2] === name) return at + 1
  }
  const last = settingsIn(lines, section)
    .filter(({ at }) => at > begin && at < end)
    .at(-1)
  if (last) return last.at + last.length
  if (section !== undefined) return begin + 1
  const isHead = lines.slice(0, end).every((line) => COMMENT.test(line))
  return isHead && next === -1 ? end : lines.slice(0, end).findLastIndex((line) => line !== '') + 1
}

function without(lines: readonly string[], settings: readonly IniSetting[]): readonly string[] {
  return lines.filter((_line, i) => !settings.some(({ at, length }) => i >= at && i < at + length))
}

function split(text: string): { readonly lines: readonly string[]; readonly ending: string } {
  const ending = text.includes('\r\n') ? '\r\n' : '\n'
  return { lines: text === '' ? [] : text.replace(/\r?\n$/, '').split(/\r?\n/), ending }
}

function joined(lines: readonly string[], ending: string): string {
  return lines.map((line) => line + ending).join('')
}
