import { elapsed } from '../../../shell/duration.ts'
import type { HostTimeline, RunTimeline, Span } from '../../journal/timeline.ts'
import { byId, collapsed, count, h, withShowMore } from './dom.ts'
import { hostBody } from './host.ts'
import { OUTCOMES, outcomeLabel, since } from './outcomes.ts'

/** The hosts by tier, each as a row with its activities on a time axis. */
export function showHosts(run: RunTimeline, hosts: readonly HostTimeline[]): void {
  const tiers = [...run.topology.tiers.map(({ name }) => name), 'other']
  byId('timeline').replaceChildren(
    ...tiers.flatMap((tier) => {
      const own = hosts.filter(({ group }) => group === tier)
      if (own.length === 0) return []
      const rows = worstFirst(own).map((host) => hostRow(host, run))
      return [
        h(
          'section',
          { class: 'tier' },
          h('h3', {}, tier, h('span', {}, count(own.length, 'host'))),
          withShowMore(rows, 'host'),
        ),
      ]
    }),
  )
  if (hosts.length === 0) byId('timeline').append(h('p', { class: 'quiet' }, 'No matching hosts.'))
}

export function showAxis({ ms }: RunTimeline): void {
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => h('span', {}, elapsed(ms * share)))
  byId('axis').replaceChildren(...ticks)
}

/** A small tier keeps the order of the inventory. */
function worstFirst(hosts: readonly HostTimeline[]): readonly HostTimeline[] {
  if (hosts.length <= 15) return hosts
  return [...hosts].sort((a, b) => OUTCOMES.indexOf(a.outcome) - OUTCOMES.indexOf(b.outcome))
}

function hostRow(host: HostTimeline, run: RunTimeline): HTMLElement {
  const { name, outcome, summary, spans } = host
  const label = outcomeLabel(outcome, run)
  const summaryRow = h(
    'summary',
    {},
    h('span', { class: 'name' }, name),
    h('span', { class: `outcome ${outcome}` }, outcome === 'changed' ? `${summary?.changed ?? 0} ${label}` : label),
    h('span', { class: 'trips' }, summary ? count(summary.trips, 'trip') : ''),
    h(
      'span',
      { class: 'track', 'aria-hidden': 'true' },
      spans.map((span) => bar(span, run.ms)),
    ),
  )
  return collapsed(summaryRow, () => hostBody(host), { class: 'host', 'data-host': name })
}

function bar({ kind, from, to, what }: Span, ms: number): HTMLElement {
  const drawn = h('i', { class: kind, title: `${since(from)}, ${elapsed(to - from)}: ${what}` })
  const share = (t: number) => `${((100 * t) / Math.max(1, ms)).toFixed(3)}%`
  drawn.style.left = share(from)
  drawn.style.width = share(to - from)
  return drawn
}
