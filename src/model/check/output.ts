import type { Duration } from '../../shell/duration.ts'
import type { Shell } from '../../shell/sh.ts'
import type { Problem } from '../problem.ts'
import { ask, type Question } from '../resource/question.ts'
import { mapRead } from '../resource/read.ts'
import { failureOf, runParallel } from './run-parallel.ts'

/** The output of a script that ended with status 0. */
export interface Output {
  readonly said: string
  /** The script ran between these two times, in milliseconds since 1970 by the controller's clock. */
  readonly from: number
  readonly to: number
}

/** The options of {@link output}. */
export interface OutputOptions {
  /** Its time limit, which grows like that of a {@link check}. @default '10s' */
  readonly within?: Duration
}

/**
 * A question whose answer is the output of a script: both streams, at most 64 KiB. The script runs together with those of checks, by the
 * same rules. If it does not end with status 0, the answer is the Problem: an {@link Unknown} if the script was too slow or ended with
 * status 75.
 *
 * @example
 * expect('runs kernel 6', askHost(host, output('its kernel', sh`uname -r`)), (kernel) =>
 *   !kernel || kernel instanceof Problem ? kernel : kernel.said.startsWith('6.') ? undefined : `it runs ${kernel.said}`)
 */
export function output(label: string, script: Shell, { within }: OutputOptions = {}): Question<Output | Problem> {
  const read = runParallel({ script, ...(within !== undefined && { within }), keep: 65_536 })
  return ask(
    label,
    mapRead(read, (outcome) => {
      const { said, from, to } = outcome
      return failureOf(outcome) ?? { said, from, to }
    }),
  )
}
