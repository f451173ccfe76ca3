import type { Diff, Field } from '../model/difference.ts'
import type { StepInfo } from '../model/event.ts'

/** What a difference means, in one line: `change mode 0644 → 0600, owner root → notes`. */
export function describeDiff({ action, fields }: Diff): string {
  return [action, words(fields)].filter((part) => part !== '').join(' ')
}

/** A line for each of the things that change together in one step; none for a step of one thing. */
export function describeParts({ parts = [] }: Diff): readonly string[] {
  return parts.map(({ name, difference }) => `${name}: ${describeDiff(difference)}`)
}

export function stepTitle({ kind, name }: Pick<StepInfo, 'kind' | 'name'>): string {
  // One line, whatever the name holds: others read these lines by program.
  return `${kind} ${name.replace(/[\n\r]/g, (one) => (one === '\n' ? '\\n' : '\\r'))}`
}

/** What something new is to be like is said briefly: `root:root 0644`. Hashes of contents tell a reader nothing. */
function words(fields: readonly Field[]): string {
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
