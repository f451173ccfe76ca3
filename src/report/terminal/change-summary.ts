import type { EventOf, Summary } from '../../model/event.ts'
import { shortList, stepTitle } from '../format.ts'
import { deferredLine, diffLines, handlerLine, type Style, stepDiffs, stepLines } from './lines.ts'

/** More hosts than these are counted, not named. */
const MAX_NAMES = 4

/** The changes of a run; equal changes of several hosts are shown once. */
export class ChangeSummary {
  readonly #style: Style
  /** The hosts of each change, by its lines. */
  readonly #changes = new Map<string, { readonly hosts: Set<string>; readonly lines: readonly string[] }>()
  /** Titles of deferred steps, by host. */
  readonly #deferred = new Map<string, string[]>()

  constructor(style: Style) {
    this.#style = style
  }

  /** @param diffs include the diffs; changes with different diffs are then different. @default false */
  step(event: EventOf<'step'>, { diffs = false }: { readonly diffs?: boolean } = {}): void {
    if (event.outcome === 'deferred')
      this.#deferred.set(event.host, [...(this.#deferred.get(event.host) ?? []), stepTitle(event.step)])
    if (event.outcome !== 'changed' && event.outcome !== 'planned') return
    const texts = diffs ? stepDiffs(event).flatMap((diff) => diffLines(diff, this.#style.paint)) : []
    this.#add(event.host, [...stepLines(event, this.#style), ...texts])
  }

  handler(event: EventOf<'handler'>): void {
    if (event.outcome !== 'failed') this.#add(event.host, [handlerLine(event, this.#style)])
  }

  /** Hosts are named in the order of the run. */
  lines({ mode, hosts: all }: Summary): readonly string[] {
    for (const [host, titles] of this.#deferred) this.#add(host, [deferredLine(titles, this.#style)])
    this.#deferred.clear()
    const order = all.map(({ host }) => host)
    const changes = [...this.#changes.values()].map(({ hosts, lines }) => {
      const names = order.filter((host) => hosts.has(host))
      return { names: shortList(names, MAX_NAMES), lines }
    })
    if (changes.length === 0) return []
    const width = Math.max(...changes.map(({ names }) => names.length))
    return [
      this.#style.paint('bold', mode === 'plan' ? 'Would change:' : 'Changed:'),
      ...changes.flatMap(({ names, lines: [first = '', ...rest] }) => [
        `  ${names.padEnd(width)} ${first}`,
        ...rest.map((line) => `  ${line}`),
      ]),
    ]
  }

  #add(host: string, lines: readonly string[]): void {
    const key = lines.join('\n')
    const known = this.#changes.get(key) ?? { hosts: new Set(), lines }
    known.hosts.add(host)
    this.#changes.set(key, known)
  }
}
