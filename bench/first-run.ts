import { note, progress, series, shown, table, timed } from './clock.ts'
import type { Tool } from './nothing-to-do.ts'
import type { Site } from './site.ts'
import { stateHash } from './state.ts'

/** Runs on new hosts each time. @throws Error if the results differ */
export async function firstRun(site: Site, tools: readonly Tool[], runs: number): Promise<string> {
  const rows: string[][] = []
  const ends = new Map<string, string>()
  for (const { name, run, slow } of tools) {
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
