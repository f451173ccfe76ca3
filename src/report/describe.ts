import type { Difference } from '../model/difference.ts'
import type { StepInfo } from '../model/event.ts'

/** What a difference means, in one line: `mode 0644 → 0600, owner → notes`. */
export function describeDifference({ verb, fields, parts }: Difference): string {
  if (parts)
    return parts.map(({ name, difference }) => `${name}: ${describeDifference(difference)}`).join('; ')
  const shown = fields.map(({ name, from, to }) =>
    from === undefined ? `${name} ${to}` : `${name} ${from} → ${to}`,
  )
  return [verb, shown.join(', ')].filter((part) => part !== '').join(' ')
}

export function stepTitle({ kind, name }: StepInfo): string {
  return `${kind} ${name}`
}
