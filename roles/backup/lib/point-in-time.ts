import { Problem } from 'provision-ts'

const TIME = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(\.\d{1,6})?\s*(Z|[+-]\d\d(?::?\d\d)?)$/

/** A point in time in the format of PostgreSQL and pgBackRest. */
export interface PointInTime {
  /** In UTC: `2026-11-22 12:00:00.000000+00`. */
  readonly text: string
  /** Seconds since 1970. */
  readonly seconds: number
}

/**
 * Parses a time with its offset: `2026-11-22 12:00:00+00`.
 *
 * @throws Problem if it is not a time, or has no offset
 */
export function parsePointInTime(given: string): PointInTime {
  const parts = TIME.exec(given.trim())
  const [, day = '', minute = '', second = ':00', fraction = '', zone = ''] = parts ?? []
  const offset = zone === 'Z' ? 'Z' : zone.replace(/^(.\d\d):?(\d\d)?$/, (_all, h, m) => `${h}:${m ?? '00'}`)
  const ms = Date.parse(`${day}T${minute}${second}${offset}`)
  if (!parts || Number.isNaN(ms)) {
    throw new Problem(`--to: ${JSON.stringify(given)} is not a point in time`, {
      next: "Write it with its offset from UTC: --to '2026-11-22 12:00:00+00'.",
    })
  }
  const text = new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
  return {
    text: `${text}${fraction.padEnd(7, '0').replace(/^0/, '.')}+00`,
    seconds: ms / 1000 + Number(`0${fraction}`),
  }
}
