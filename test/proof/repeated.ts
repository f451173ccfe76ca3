import type { Failure } from './load.ts'
import type { Figures } from './row.ts'

/** The medians of the times, and the sums of the counts. A check holds if it holds each time. */
export function combined(all: readonly Figures[]): Figures {
  const [first] = all
  if (!first || all.length === 1) return first ?? {}
  const sum = (key: 'asked' | 'lost' | 'acknowledged') => optional(all, key, (some) => some.reduce((a, b) => a + b))
  const middle = (key: 'gap' | 'writeGap' | 'seconds') => optional(all, key, median)
  const besides = all.flatMap((one) => one.besides ?? [])
  return {
    ...sum('asked'),
    ...sum('lost'),
    ...sum('acknowledged'),
    ...middle('gap'),
    ...middle('writeGap'),
    ...middle('seconds'),
    ...failures(all, 'failed'),
    ...failures(all, 'unknown'),
    ...(besides.length > 0 && {
      besides: {
        good: besides.every(({ good }) => good),
        words: [...new Set(besides.map(({ words }) => words))].join('; '),
      },
    }),
  }
}

/** The middle one; of an even number, the mean of the two in the middle. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN
  return lower === upper ? upper : (lower + upper) / 2
}

function optional<K extends 'asked' | 'lost' | 'acknowledged' | 'gap' | 'writeGap' | 'seconds'>(
  all: readonly Figures[],
  key: K,
  of: (some: readonly number[]) => number,
): { readonly [key in K]?: number } {
  const some = all.flatMap((one) => one[key] ?? [])
  return some.length === 0 ? {} : ({ [key]: of(some) } as { readonly [key in K]: number })
}

function failures(all: readonly Figures[], key: 'failed' | 'unknown'): Figures {
  const some: readonly Failure[] = all.flatMap((one) => one[key] ?? [])
  return all.some((one) => one[key]) ? { [key]: some } : {}
}
