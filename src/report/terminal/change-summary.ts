import type { EventOf, Summary } from '../../model/event.ts'
import { stepTitle } from '../describe.ts'
import type { Style } from '../symbols.ts'
import { diffLines, handlerLine, openLine, stepDiffs, stepLines } from './lines.ts'

/** More hosts than these are counted, not named. */
const MAX_NAMES = 4

/** What has changed in a run, or would: a line each, once for all hosts where it is the same. */
export class ChangeSummary {
  readonly #look: Style
  /** The hosts, by the lines and diffs that tell of the change. */
  readonly #changes = new Map<string, { readonly hosts: Set<string>; readonly lines: readonly string[] }>()

  constructor(look: Style) {
    this.#look = look
  }

  /** By host: the steps that are already in place, and that a run reads again. */
  readonly #open = new Map<string, string[]>()

  /** @param diffs whether they are to be told here, once for all hosts; otherwise they do not count. @default false */
  step(event: EventOf<'step'>, { diffs = false }: { readonly diffs?: boolean } = {}): void {
    if (event.outcome === 'open')
      this.#open.set(event.host, [...(this.#open.get(event.host) ?? []), stepTitle(event.step)])
    if (event.outcome !== 'changed' && event.outcome !== 'planned') return
    const texts = diffs ? stepDiffs(event).flatMap((diff) => diffLines(diff, this.#look.paint)) : []
    this.#add(event.host, [...stepLines(event, this.#look), ...texts])
  }

  handler(event: EventOf<'handler'>): void {
    if (event.outcome !== 'failed') this.#add(event.host, [handlerLine(event, this.#look)])
  }

  /** The hosts in the order that they have in the run. */
  lines({ mode, hosts: all }: Summary): readonly string[] {
    for (const [host, titles] of this.#open) this.#add(host, [openLine(titles, this.#look)])
    this.#open.clear()
    const order = all.map(({ host }) => host)
    const changes = [...this.#changes.values()].map(({ hosts, lines }) => ({
      names: hostNames(order.filter((host) => hosts.has(host))),
      lines,
    }))
    if (changes.length === 0) return []
    const width = Math.max(...changes.map(({ names }) => names.length))
    return [
      this.#look.paint('bold', mode === 'check' ? 'Would change:' : 'Changed:'),
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

function hostNames(hosts: readonly string[]): string {
  if (hosts.length <= MAX_NAMES) return hosts.join(', ')
  return `${hosts.slice(0, MAX_NAMES - 1).join(', ')} and ${hosts.length - MAX_NAMES + 1} more`
}
