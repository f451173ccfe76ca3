import type { Difference } from '../model/difference.ts'
import type { RunEvent } from '../model/event.ts'
import { Problem } from '../model/problem.ts'
import type { Source } from '../model/source.ts'
import { Secret } from '../shell/secret.ts'
import { shownPlace } from './place.ts'
import type { Reporter } from './reporter.ts'

/** One JSON object a line and event, with the time; secrets are masked. */
export function jsonReporter(write: (line: string) => void): Reporter {
  return { emit: (event) => write(jsonLine(event)), done: async () => {} }
}

function jsonLine(event: RunEvent): string {
  return JSON.stringify({ at: new Date().toISOString(), ...event }, (key, value: unknown) => {
    if (typeof value === 'string') return Secret.redact(value)
    if (key === 'texts')
      return (value as NonNullable<Difference['texts']>).map(({ path, after }) => ({ path, after }))
    if (key === 'source' && value !== undefined) return shownPlace(value as Source)
    if (!(value instanceof Problem)) return value
    const { message, where, details, next } = value
    return { message, where: where && shownPlace(where), details, next }
  })
}
