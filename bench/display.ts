import { note, series, shown, table, timed } from './clock.ts'
import { provision } from './provision.ts'
import type { Site } from './site.ts'

/** The same run in a terminal with the live display and with lines, alternately: the display must not slow down the run. */
export async function display(site: Site, runs: number): Promise<string> {
  const env = { BENCH_STEPS: '300', BENCH_TEXT: 'display' }
  const many = provision(site, 'many', env)
  const inTerminal = (output: string) => {
    const words = [many.command, ...many.args, '--output', output].map((word) => `'${word}'`).join(' ')
    // script(1) provides the terminal, without a size.
    return { ...many, command: 'script', args: ['-qec', `stty cols 120 rows 40; ${words}`, '/dev/null'] }
  }
  const tools = { live: inTerminal('live'), lines: inTerminal('lines') }
  const seconds: { readonly live: number[]; readonly plain: number[] } = { live: [], plain: [] }
  for (let n = 0; n <= runs; n++) {
    const took = { live: await timed(tools.live), plain: await timed(tools.lines) }
    if (n === 0) continue
    seconds.live.push(took.live)
    seconds.plain.push(took.plain)
  }
  note('8 × 300 files, shown live', 's', series(seconds.live), series(seconds.plain).median)
  return table(
    ['8 hosts × 300 files, nothing to do, in a terminal', 'seconds'],
    [
      ['shown live', shown(series(seconds.live))],
      ['shown as lines', shown(series(seconds.plain))],
    ],
  )
}
