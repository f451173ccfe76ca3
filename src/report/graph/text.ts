import { table } from '../format.ts'
import type { Graph, Link, Topology } from './topology.ts'

/** The graph as text, for terminals and screen readers. */
export function graphText({ topology, plays }: Graph): string {
  const order = plays.map(({ label, on, how }, i) => [
    `  ${String(i + 1).padStart(String(plays.length).length)}`,
    label,
    on,
    how,
  ])
  return ['Tiers and their allowed connections', tiersText(topology), '', 'Plays in order', ...table(order)].join('\n')
}

export function tiersText({ tiers, links }: Topology): string {
  const inbound = (tier: string) => links.filter(({ to }) => to === tier).map(linkText)
  const rows = tiers.map(({ name, hosts }) => [`  ${name}`, shortened(hosts), inbound(name).join('; ')])
  return table(rows).join('\n')
}

/** `8080 from web`. */
export function linkText({ from, to, over }: Link): string {
  return from === to ? `${over} within the tier` : `${over} from ${from}`
}

const MAX_NAMES = 8

function shortened(hosts: readonly string[]): string {
  if (hosts.length <= MAX_NAMES) return hosts.join(', ')
  return `${hosts.slice(0, MAX_NAMES - 2).join(', ')}, … ${hosts.at(-1)} (${hosts.length} hosts)`
}
