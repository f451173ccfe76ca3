import type { Duration } from '../../shell/duration.ts'
import type { Shell } from '../../shell/sh.ts'
import type { Problem } from '../problem.ts'
import { ask, type Question } from '../resource/question.ts'
import { mapRead } from '../resource/read.ts'
import { failureOf, runParallel } from './run-parallel.ts'

/** The output of a script that ended with status 0. */
export interface Output {
  readonly said: string
  /** The script ran between these two moments, in milliseconds since 1970 by the clock of the controller. */
  readonly from: number
  readonly to: number
}

/** The options of {@link output}. */
export interface OutputOptions {
  /** Its limit, which is stretched as that of a {@link check}. @default '10s' */
  readonly within?: Duration
}

/**
 * A question whose answer is the output of a script, of both streams, 64 KiB at most. The script runs beside those of checks and by the
 * same rules. When it does not end with status 0, the answer is the Problem: an {@link Unknown} for a script that was too slow or that
 * ended with status 75.
 *
 * @example
 * expect('runs kernel 6', askHost(host, output('its kernel', sh`uname -r`)), (kernel) =>
 *   !kernel || kernel instanceof Problem ? kernel : kernel.said.startsWith('6.') ? undefined : `it runs ${kernel.said}`)
 */
export function output(
  label: string,
  script: Shell,
  { within }: OutputOptions = {},
): Question<Output | Problem> {
  const read = runParallel({ script, ...(within !== undefined && { within }), keep: 65_536 })
  return ask(
    label,
    mapRead(read, (outcome) => {
      const { said, from, to } = outcome
      return failureOf(outcome) ?? { said, from, to }
    }),
  )
}
