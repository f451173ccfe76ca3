import { InvalidArgumentError } from 'commander'
import type { Duration } from '../shell/duration.ts'
import { milliseconds } from '../shell/duration.ts'

/** Parses a duration: 500ms, 30s, 5m, 1h. @returns milliseconds */
export function duration(text: string): number {
  try {
    return milliseconds(text as Duration)
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error))
  }
}

/** Parses a whole number from 1. */
export function count(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('must be a whole number from 1')
}

/** Parses a number above 0, such as 0.5 or 10. */
export function positiveNumber(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value
  throw new InvalidArgumentError('must be a number above 0')
}

/** Parses comma-separated tags and adds them to those of an earlier option. */
export function tags(text: string, before: readonly string[] = []): readonly string[] {
  const given = text
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '')
  if (given.length === 0) throw new InvalidArgumentError('must name a tag')
  return [...before, ...given]
}

/** Collects the values of an option that may be repeated. */
export function repeated(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}
