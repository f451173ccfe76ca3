import { note, series, shown, table, timed } from './clock.ts'
import { provision } from './provision.ts'
import type { Site } from './site.ts'

/** Whether a run waits for its display: the same run shown live and told in lines, both in a terminal, in turns. */
export async function display(site: Site, runs: number): Promise<string> {
  const env = { BENCH_STEPS: '300', BENCH_TEXT: 'display' }
  const many = provision(site, 'many', env)
  const inTerminal = (output: string) => {
    const words = [many.command, ...many.args, '--output', output].map((word) => `'${word}'`).join(' ')
    // script(1) is the terminal; it has no size of its own.
    return { ...many, command: 'script', args: ['-qec', `stty cols 120 rows 40; ${words}`, '/dev/null'] }
  }
  const contestants = { live: inTerminal('live'), lines: inTerminal('lines') }
  const seconds: { readonly live: number[]; readonly plain: number[] } = { live: [], plain: [] }
  for (let n = 0; n <= runs; n++) {
    const took = { live: await timed(contestants.live), plain: await timed(contestants.lines) }
    if (n === 0) continue
    seconds.live.push(took.live)
    seconds.plain.push(took.plain)
  }
  note('8 × 300 files, shown live', 's', series(seconds.live), series(seconds.plain).median)
  return table(
    ['8 hosts × 300 files, nothing to do, in a terminal', 'seconds'],
    [
      ['shown live', shown(series(seconds.live))],
      ['told in lines', shown(series(seconds.plain))],
    ],
  )
}
