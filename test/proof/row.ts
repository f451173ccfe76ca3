import { Load, type Seen } from './load.ts'
import type { Site } from './site.ts'

/** The measurements of one event. */
export interface Figures extends Partial<Seen> {
  readonly seconds?: number
  /** The result of an additional check, with its text for the table. */
  readonly besides?: { readonly good: boolean; readonly words: string }
}

/** An event, its limit, and a control: the same event done badly, which must exceed the limit. Otherwise the row measures nothing. */
export interface Row {
  readonly name: string
  readonly event: string
  /** The limit as text. */
  readonly limit: string
  readonly holds: (figures: Figures) => boolean
  /** An action that is needed afterwards. Without it, no command must be necessary. */
  readonly operator?: string
  /** The playbook that it requires. */
  readonly needs?: string
  readonly run: (site: Site) => Promise<Figures>
  /** Waits until the row can be repeated. @default all checks pass, as after the last repetition */
  readonly repeatable?: (site: Site) => Promise<unknown>
  readonly control?: { readonly what: string; readonly run: (site: Site) => Promise<Figures> }
}

export interface UnderLoad {
  /** The event that happens during the load. */
  readonly act: () => Promise<unknown>
  /** Milliseconds to wait afterwards. @default 4000 */
  readonly after?: number
  /** The minimum number of requests. */
  readonly count?: number
}

/** Returns the results of a client during an event. */
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

/** True if no request failed and none is in doubt. */
export const nothingFailed = ({ failed = [], unknown = [], lost = 0 }: Figures): boolean =>
  failed.length + unknown.length + lost === 0

export const within =
  (ms: number) =>
  ({ gap = Number.POSITIVE_INFINITY, lost = 0 }: Figures): boolean =>
    gap <= ms && lost === 0

/** Formats the figures. */
export function reported({
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
