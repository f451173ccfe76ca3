import { table } from '../table.ts'
import type { Graph } from './drawing.ts'
import type { Link, Topology } from './topology.ts'

/** The picture in words: for terminals, and for those who cannot see one. */
export function graphText({ topology, plays }: Graph): string {
  const order = plays.map(({ label, on, how }, i) => [
    `  ${String(i + 1).padStart(String(plays.length).length)}`,
    label,
    on,
    how,
  ])
  return ['Tiers, and whom each lets in', tiersText(topology), '', 'Plays, in order', ...table(order)].join(
    '\n',
  )
}

export function tiersText({ tiers, links }: Topology): string {
  const letsIn = (tier: string) => links.filter(({ to }) => to === tier).map(linkText)
  const rows = tiers.map(({ name, hosts }) => [`  ${name}`, shortened(hosts), letsIn(name).join('; ')])
  return table(rows).join('\n')
}

/** `8080 from web`. */
export function linkText({ from, to, over }: Link): string {
  return from === to ? `${over} among themselves` : `${over} from ${from}`
}

const MOST = 8

function shortened(hosts: readonly string[]): string {
  if (hosts.length <= MOST) return hosts.join(', ')
  return `${hosts.slice(0, MOST - 2).join(', ')}, … ${hosts.at(-1)} (${hosts.length} hosts)`
}
