import type { Outcome } from './outcome.ts'
import { combined } from './repeated.ts'
import { type Figures, type Row, reported } from './row.ts'
import { fixed, type Site } from './site.ts'

export interface Repetitions {
  readonly times: number
  readonly controls: boolean
  /** True if the operator has stopped the proof. */
  readonly stopped: () => boolean
  /** Receives the figures of each repetition as text. */
  readonly say: (line: string) => void
}

/** Runs a row, the given number of times, and its control once. After the repetitions the site must become healthy without a command. */
export async function proved(site: Site, row: Row, { times, controls, stopped, say }: Repetitions): Promise<Outcome> {
  const { name, event, limit, operator, holds, needs, repeatable, control } = row
  const about = { name, event, limit, operator }
  const without = { times: [], controlFailed: undefined, control: '' }
  if (needs && !site.has(needs))
    return { ...about, ...without, result: 'not there', figures: `there is no playbook ${needs}` }
  const again = repeatable ?? ((here: Site) => here.healthy())
  const all: Figures[] = []
  const texts: string[] = []
  try {
    while (all.length < times && !(all.length > 0 && stopped())) {
      const figures = await row.run(site)
      await (all.length + 1 < times ? again(site) : site.healthy())
      all.push(figures)
      texts.push(reported(figures))
      if (times > 1) say(`  ${all.length}. ${reported(figures)}`)
    }
    const bad = control && controls ? await control.run(site) : undefined
    if (bad) await again(site)
    const figures = combined(all)
    return {
      ...about,
      result: holds(figures) ? 'held' : 'not held',
      figures: all.length > 1 ? `median of ${all.length}: ${reported(figures)}` : reported(figures),
      times: texts,
      controlFailed: bad && !holds(bad),
      control: bad && control ? `${control.what}: ${reported(bad)}` : '',
    }
  } catch (error) {
    // A broken site must not affect the rows after it.
    await fixed(site)
    const words = error instanceof Error ? error.message : String(error)
    return { ...about, ...without, result: 'broke', figures: words, times: texts }
  }
}
