import type { Shell } from '../shell/sh.ts'
import { sh } from '../shell/sh.ts'
import { type Duration, milliseconds } from '../text/duration.ts'
import { Problem } from './problem.ts'
import { family } from './read.ts'

interface Query {
  readonly script: Shell
  readonly within: Duration
}

/** What became of one script. */
export interface Outcome {
  readonly code: number
  /** The last lines of what it said, on either stream. */
  readonly words: string
  /** Milliseconds. */
  readonly ms: number
  readonly timedOut: boolean
}

/** The exit statuses of timeout(1), when it ended the command by TERM and when that took a KILL. */
const TIMED_OUT: ReadonlySet<number> = new Set([124, 137])

/** Scripts that a host runs at the same time: the slowest says how long all of them take. */
export const sideBySide = family<Query, Outcome>({
  name: 'side by side',
  script: (queries) => {
    const all = queries.map(
      ({ script, within }, i) =>
        sh`one ${i} ${Math.max(0.001, milliseconds(within) / 1000)} ${script.text} &`,
    )
    // A line is one write and fits a pipe's buffer, so lines of two never mix.
    return sh`
one() {
  began=$(date +%s%N)
  said=$(timeout -k 1 "$2" sh -c "$3" 2>&1 </dev/null)
  code=$?
  ms=$((($(date +%s%N) - began) / 1000000))
  printf '%s %s %s %s\n' "$1" "$code" "$ms" "$(printf %s "$said" | tail -n 8 | tail -c 1500 | base64 -w 0)"
}
lines=$(
${all.reduce<Shell>(
  (text, one) => sh`${text}
${one}`,
  sh``,
)}
wait
)
printf '%s\n' "$lines"`
  },
  parse: ({ stdout }, queries) => {
    const byNumber = new Map(stdout.split('\n').map((line) => [line.split(' ', 1)[0], line]))
    return queries.map((_query, i) => outcome(byNumber.get(String(i))))
  },
})

function outcome(line: string | undefined): Outcome {
  const [, code, ms, words = ''] = /^\d+ (\d+) (\d+) (\S*)$/.exec(line ?? '') ?? []
  if (code === undefined)
    throw new Problem('The host did not say what came of it', {
      next: 'Its shell takes the time with `date +%s%N` of GNU coreutils; install them there.',
    })
  return {
    code: Number(code),
    words: Buffer.from(words, 'base64').toString(),
    ms: Number(ms),
    timedOut: TIMED_OUT.has(Number(code)),
  }
}
