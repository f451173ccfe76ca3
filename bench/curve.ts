import { randomBytes } from 'node:crypto'
import { note, series, shown, table, timed } from './clock.ts'
import { provision } from './provision.ts'
import type { Site } from './site.ts'

/** The cost of another step and of another host. */
export async function curve(site: Site, runs: number): Promise<string> {
  const rows: string[][] = []
  const grid = [
    ...[100, 500, 1000, 2000].map((steps) => ({ hosts: 1, steps })),
    ...[2, 4, 8].map((hosts) => ({ hosts, steps: 500 })),
  ]
  for (const { hosts, steps } of grid) {
    site.use(hosts)
    const writes: number[] = []
    const looks: number[] = []
    for (let n = 0; n <= runs; n++) {
      const env = { BENCH_STEPS: String(steps), BENCH_TEXT: randomBytes(4).toString('hex') }
      const [wrote, looked] = [await timed(provision(site, 'many', env)), await timed(provision(site, 'many', env))]
      if (n === 0) continue
      writes.push(wrote)
      looks.push(looked)
    }
    const each = (values: readonly number[]) => ((series(values).median * 1000) / (hosts * steps)).toFixed(2)
    note(`${hosts} × ${steps} files, nothing to do`, 's', series(looks))
    note(`${hosts} × ${steps} files, all change`, 's', series(writes))
    rows.push([`${hosts} × ${steps}`, shown(series(looks)), each(looks), shown(series(writes)), each(writes)])
  }
  site.use(8)
  return table(['hosts × files', 'nothing to do, s', 'ms a file', 'all files change, s', 'ms a file'], rows)
}
