import { type Duration, milliseconds } from '../text/duration.ts'
import { isRecord } from './fields.ts'

const DURATIONS = ['login', 'keepalive', 'shell', 'confirm', 'read', 'check', 'probe']
const KNOWN = ['factor', ...DURATIONS]

/** What is wrong with the `timeouts` of a site, a group or a host. */
export function faultsOfTimeouts(path: string, given: unknown): readonly string[] {
  if (given === undefined) return []
  if (!isRecord(given)) return [`${path}: should be limits: { factor: 2 }`]
  return Object.entries(given).flatMap(([name, value]) => {
    if (!KNOWN.includes(name)) return [`${path}.${name}: is not known here. There are ${KNOWN.join(', ')}.`]
    if (value === undefined) return []
    const right = name === 'factor' ? isFactor(value) : isDuration(value)
    const wanted = name === 'factor' ? 'a number above 0' : 'a duration above 0 such as 90s or 2m'
    return right ? [] : [`${path}.${name}: should be ${wanted}, got ${JSON.stringify(value)}`]
  })
}

function isFactor(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value > 0
}

function isDuration(value: unknown): boolean {
  if (typeof value !== 'number' && typeof value !== 'string') return false
  try {
    // What is none is refused.
    return milliseconds(value as Duration) > 0
  } catch {
    return false
  }
}
