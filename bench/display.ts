import { series, shown, table, timed } from './clock.ts'
import { provision } from './provision.ts'
import type { Site } from './site.ts'

/** Whether a run waits for its display: the same run to a terminal and to a pipe, in turns. */
export async function display(site: Site, runs: number): Promise<string> {
  const env = { BENCH_STEPS: '300', BENCH_TEXT: 'display' }
  const plain = provision(site, 'many', env)
  const words = [plain.command, ...plain.args].map((word) => `'${word}'`).join(' ')
  // script(1) is the terminal.
  const live = { ...plain, command: 'script', args: ['-qec', words, '/dev/null'] }
  const seconds: { readonly live: number[]; readonly plain: number[] } = { live: [], plain: [] }
  for (let n = 0; n <= runs; n++) {
    const took = { live: await timed(live), plain: await timed(plain) }
    if (n === 0) continue
    seconds.live.push(took.live)
    seconds.plain.push(took.plain)
  }
  return table(
    ['8 hosts × 300 files, nothing to do', 'seconds'],
    [
      ['to a terminal', shown(series(seconds.live))],
      ['to a pipe', shown(series(seconds.plain))],
    ],
  )
}
