import { type Duration, elapsed, milliseconds } from '../../shell/duration.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { Problem, Unknown } from '../problem.ts'
import { batchRead } from '../resource/read.ts'
import { CHECK_RUNNER } from './parallel-runner.ts'

interface Query {
  readonly script: Shell
  /** @default `timeouts.check` of the inventory */
  readonly within?: Duration
  /** The number of bytes of its output to keep, from the end. @default 1500 */
  readonly keep?: number
}

/** The end of one script. Times are in milliseconds. */
export interface ScriptOutcome {
  /** `limit`: it was stopped because it took too long; `unstarted`: the host could not start a process for it. */
  readonly ended: 'exit' | 'signal' | 'limit' | 'unstarted'
  /** The exit status, or the number of the signal. */
  readonly code: number
  /** The end of its output, of both streams. */
  readonly said: string
  readonly ms: number
  /** Its time limit, adjusted to the speed of the host. */
  readonly limit: number
  /** The longest measured time of an empty script on the host. */
  readonly empty: number
  /** It ran between these two times, in milliseconds since 1970 by the controller's clock. */
  readonly from: number
  readonly to: number
}

/** The exit status for an unknown result: EX_TEMPFAIL of sysexits.h. */
const UNKNOWN = 75

/** Runs scripts on a host, a few at a time, each with a time limit: see {@link CHECK_RUNNER}. */
export const runParallel = batchRead<Query, ScriptOutcome>({
  name: 'side by side',
  script: (queries) => {
    const words = queries.flatMap(({ script, within, keep = 1500 }) => [
      within === undefined ? '' : String(Math.max(0.001, milliseconds(within) / 1000)),
      String(keep),
      script.text,
    ])
    return sh`PERL_BADLANG=0 perl -e ${CHECK_RUNNER} ${String(Date.now())} ${words}`
  },
  parse: ({ stdout, stderr }, queries) => {
    const heard = Date.now()
    const lines = new Map(stdout.split('\n').map((line) => [line.split(' ', 1)[0], line.split(' ').slice(1)]))
    const [asked = Number.NaN, total = Number.NaN, empty = Number.NaN] = (lines.get('all') ?? []).map(Number)
    return queries.map((_query, i) => {
      const [how, code, ...rest] = lines.get(String(i)) ?? []
      const ended = ENDINGS.find((one) => one === how)
      if (ended === undefined || Number.isNaN(total)) throw silent(stderr)
      const [began = 0, end = 0, limit = 0] = rest.slice(0, 3).map((seconds) => Number(seconds) * 1000)
      return {
        ended,
        code: Number(code),
        said: Buffer.from(rest[3] ?? '', 'hex').toString(),
        ms: Math.round(end - began),
        limit: Math.round(limit),
        empty: Math.round(empty * 1000),
        // The clock of the measurement has a resolution of 10 ms.
        from: asked + began - 10,
        to: heard - (total * 1000 - end) + 10,
      }
    })
  },
})

const ENDINGS = ['exit', 'signal', 'limit', 'unstarted'] as const

function silent(stderr: string): Unknown {
  const why = stderr.trim().split('\n').at(-1) || 'the host did not say why'
  return new Unknown(`The checks did not run to their end: ${why}`, {
    ...(why.includes('perl') && { details: ['Checks need perl: apt-get install perl-base'] }),
  })
}

/**
 * Returns the reason why a script failed, or an {@link Unknown} if the result is unknown; undefined if it passed.
 *
 * @param next the next step for the operator after a failure; not used for an unknown result
 */
export function failureOf(outcome: ScriptOutcome, next?: string): Problem | undefined {
  const { ended, code, said, limit, empty } = outcome
  if (ended === 'exit' && code === 0) return undefined
  const lines = said
    .slice(-1500)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-8)
  if (ended === 'limit') {
    const slow = `an empty script took ${elapsed(empty)} on the host`
    return new Unknown(`no answer within ${elapsed(limit)} (${slow})`, { details: lines })
  }
  if (ended === 'signal') return new Unknown(`it was ended by signal ${code}`, { details: lines })
  if (ended === 'unstarted') return new Unknown('the host could not start a process', { details: lines })
  const [what, ...details] = lines
  if (code === UNKNOWN) return new Unknown(what ?? 'it could not be asked', { details })
  return new Problem(what ?? `it ended with status ${code}`, { details, ...(next && { next }) })
}
