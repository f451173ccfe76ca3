import { note, progress, type Run, series, shown, table, timed } from './clock.ts'
import type { Site } from './site.ts'

export interface Tool {
  readonly name: string
  readonly run: Run
  /** True for a slow tool, which runs once. */
  readonly slow?: boolean
}

/** Runs the tools alternately, so that other load affects all of them. */
export async function nothingToDo(
  site: Site,
  tools: readonly Tool[],
  { distances, runs }: { readonly distances: readonly number[]; readonly runs: number },
): Promise<string> {
  const columns: string[][] = []
  for (const distance of distances) {
    await site.delay(distance)
    const seconds = new Map(tools.map(({ name }) => [name, [] as number[]]))
    const quick = tools.filter(({ slow }) => !slow)
    // The first round is not counted: the first login starts the user's systemd on each host.
    for (let round = 0; round <= runs; round++) {
      for (const { name, run } of quick) {
        const took = await timed(run)
        if (round > 0) seconds.get(name)?.push(took)
      }
    }
    for (const { name, run } of tools.filter(({ slow }) => slow)) seconds.get(name)?.push(await timed(run))
    for (const [name, all] of seconds) progress(`${name}, ${distance} ms: ${shown(series(all))}`)
    const floor = series(seconds.get(FLOOR) ?? []).median
    columns.push(
      tools.map(({ name }) => {
        const own = series(seconds.get(name) ?? [])
        note(`nothing to do, ${distance} ms: ${name}`, 's', own, floor)
        return `${shown(own)} ×${(own.median / floor).toFixed(2)}`
      }),
    )
  }
  await site.delay(0)
  return table(
    ['nothing to do, seconds', ...distances.map((ms) => `${ms} ms of round trip`)],
    tools.map(({ name }, i) => [name, ...columns.map((column) => column[i] ?? '')]),
  )
}

export const FLOOR = 'floor: 8 × ssh host sudo sh'
