import type { EventOf, StepInfo } from '../model/event.ts'
import type { Diff, FieldChange } from '../model/resource/diff.ts'

/** A diff in one line: `change mode 0644 → 0600, owner root → notes`. */
export function describeDiff({ action, fields }: Diff): string {
  return [action, describeFields(fields)].filter((part) => part !== '').join(' ')
}

/** One line for each part of a step that sets several things. */
export function describeParts({ parts = [] }: Diff): readonly string[] {
  return parts.map(({ name, difference }) => `${name}: ${describeDiff(difference)}`)
}

/** `file /etc/motd`, always one line: scripts parse the output by line. */
export function stepTitle({ kind, name }: Pick<StepInfo, 'kind' | 'name'>): string {
  return `${kind} ${name.replace(/[\n\r]/g, (one) => (one === '\n' ? '\\n' : '\\r'))}`
}

/** `drain: web` or `undrain: web`. */
export function drainTitle(label: string, outcome: EventOf<'drain'>['outcome']): string {
  return `${outcome === 'undrained' ? 'undrain' : 'drain'}: ${label}`
}

/** Ownership of something new in short form: `root:root 0644`. Hashes of contents are left out. */
function describeFields(fields: readonly FieldChange[]): string {
  const of = (name: string) => fields.find((field) => field.name === name)
  const [owner, group, mode] = [of('owner'), of('group'), of('mode')]
  const fresh = owner && group && mode && [owner, group, mode].every(({ from }) => from === undefined)
  const rest = fields.filter((field) => !(fresh && [owner, group, mode].includes(field)))
  const shown = rest.flatMap(({ name, from, to }) => {
    if (name === 'content') return from === undefined ? [] : ['content']
    return [from === undefined ? `${name} ${to}` : `${name} ${from} → ${to}`]
  })
  return [...shown, ...(fresh ? [`${owner.to}:${group.to} ${mode.to}`] : [])].join(', ')
}

/** `1 host`, `2 hosts`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}

/** The first names of a list and the number of the others: `web1, web2 and 3 more`. */
export function shortList(names: readonly string[], most: number): string {
  if (names.length <= most) return names.join(', ')
  return `${names.slice(0, most - 1).join(', ')} and ${names.length - most + 1} more`
}

/** Groups items with equal keys, in the order of their first item. */
export function groupEqual<T>(all: readonly T[], key: (one: T) => string): readonly (readonly [T, ...T[]])[] {
  const groups = new Map<string, [T, ...T[]]>()
  for (const one of all) {
    const group = groups.get(key(one))
    if (group) group.push(one)
    else groups.set(key(one), [one])
  }
  return [...groups.values()]
}

/** Rows of text with aligned columns. @param paint colours a padded cell */
export function table(
  rows: readonly (readonly string[])[],
  paint: (cell: string, row: number, column: number) => string = (cell) => cell,
): readonly string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  )
  return rows.map((row, at) => {
    const last = row.findLastIndex((cell) => cell !== '')
    return row
      .slice(0, last + 1)
      .map((cell, column) => paint(column === last ? cell : cell.padEnd(widths[column] ?? 0), at, column))
      .join('  ')
  })
}
