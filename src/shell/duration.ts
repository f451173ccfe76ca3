/** A length of time: milliseconds as a number, or a number with its unit. */
export type Duration = number | `${number}ms` | `${number}s` | `${number}m` | `${number}h`

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const

/** @throws TypeError if it is not valid: types are not checked at run time */
export function milliseconds(duration: Duration): number {
  if (typeof duration === 'number' && Number.isFinite(duration) && duration >= 0) return duration
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(String(duration)) ?? []
  if (!amount || !(unit && unit in UNITS)) {
    throw new TypeError(`"${duration}" is not a duration: write milliseconds, or 500ms, 30s, 5m, 1h`)
  }
  return Number(amount) * UNITS[unit as keyof typeof UNITS]
}

/** `0.42 s`, `12.3 s`, `2 min 05 s`. */
export function elapsed(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(2)} s`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`
}
