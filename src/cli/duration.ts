import { InvalidArgumentError } from 'commander'
import { type Duration, milliseconds } from '../shell/duration.ts'

/** A length of time as an option: 500ms, 30s, 5m, 1h. @returns milliseconds */
export function duration(text: string): number {
  try {
    // What is none is refused.
    return milliseconds(text as Duration)
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error))
  }
}
