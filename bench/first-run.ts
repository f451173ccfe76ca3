import { note, progress, series, shown, table, timed } from './clock.ts'
import type { Contestant } from './nothing-to-do.ts'
import type { Site } from './site.ts'
import { stateHash } from './state.ts'

/** On new hosts each time. @throws Error when contestants do not come to the same end */
export async function firstRun(
  site: Site,
  contestants: readonly Contestant[],
  runs: number,
): Promise<string> {
  const rows: string[][] = []
  const ends = new Map<string, string>()
  for (const { name, run, slow } of contestants) {
    const seconds: number[] = []
    for (let n = 0; n < (slow ? 1 : runs); n++) {
      await site.renew()
      seconds.push(await timed(run))
    }
    progress(`first run of ${name}: ${shown(series(seconds))}`)
    note(`first run: ${name}`, 's', series(seconds))
    const hash = await stateHash(site)
    ends.set(hash, name)
    rows.push([name, shown(series(seconds)), hash])
  }
  if (ends.size > 1) throw new Error(`The ends differ: ${[...ends].map((end) => end.join(' ')).join(', ')}`)
  return table(['first run, seconds', '0 ms of round trip', 'state of each host at the end'], rows)
}
