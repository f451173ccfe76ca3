import { Load, type Seen } from './load.ts'
import type { Site } from './site.ts'

/** What was measured of one event. */
export interface Figures extends Partial<Seen> {
  readonly seconds?: number
  /** Whether what was to be seen beside the load was so; with words for the table. */
  readonly besides?: { readonly good: boolean; readonly words: string }
}

/** An event, what it may cost, and the same done badly: it must cost more, or nothing was measured. */
export interface Row {
  readonly name: string
  readonly event: string
  /** In words. */
  readonly limit: string
  readonly holds: (figures: Figures) => boolean
  /** The playbook that it needs. */
  readonly needs?: string
  readonly run: (site: Site) => Promise<Figures>
  readonly control?: { readonly what: string; readonly run: (site: Site) => Promise<Figures> }
}

export interface UnderLoad {
  /** What happens meanwhile. */
  readonly act: () => Promise<unknown>
  /** Milliseconds afterwards. @default 4000 */
  readonly after?: number
  /** Requests at least. */
  readonly count?: number
}

/** What a client sees of it. */
export async function underLoad(site: Site, { act, after = 4_000, count = 0 }: UnderLoad): Promise<Seen> {
  const { seen } = await Load.during(site.client, async (load) => {
    await load.reaches(150)
    await act()
    await load.reaches(count)
    await pause(after)
  })
  return seen
}

export const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms))

/** Not a request failed, nor is one in doubt. */
export const nothingFailed = ({ failed = [], unknown = [], lost = 0 }: Figures): boolean =>
  failed.length + unknown.length + lost === 0

export const within =
  (ms: number) =>
  ({ gap = Number.POSITIVE_INFINITY, lost = 0 }: Figures): boolean =>
    gap <= ms && lost === 0

/** Figures in words. */
export function told({
  asked,
  failed = [],
  unknown = [],
  gap,
  writeGap,
  lost,
  acknowledged,
  seconds,
  besides,
}: Figures): string {
  return [
    seconds !== undefined && `${seconds.toFixed(1)} s`,
    gap !== undefined && `${(gap / 1000).toFixed(2)} s without an answer`,
    writeGap !== undefined && `${(writeGap / 1000).toFixed(2)} s without a write`,
    asked !== undefined && `${failed.length} of ${asked} failed${kinds(failed)}`,
    unknown.length > 0 && `${unknown.length} in doubt${kinds(unknown)}`,
    lost !== undefined && (acknowledged ?? 0) > 0 && `${lost} of ${acknowledged} writes lost`,
    besides?.words,
  ]
    .filter((part) => part)
    .join(', ')
}

function kinds(failures: readonly { readonly outcome: string }[]): string {
  const counts = new Map<string, number>()
  for (const { outcome } of failures) {
    const kind = outcome.replace(/^\w+: /, '')
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return counts.size === 0 ? '' : ` (${[...counts].map(([kind, count]) => `${count} ${kind}`).join(', ')})`
}
