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

/** The graph in Mermaid, which GitHub, GitLab and many wikis draw. */
export function graphMermaid({ topology: { tiers, links }, plays }: Graph): string {
  const outside = [...new Set(links.map(({ from }) => from))].filter((from) => !tiers.some(({ name }) => name === from))
  const idOf = new Map([
    ...outside.map((name, i) => [name, `outside${i}`] as const),
    ...tiers.map(({ name }, i) => [name, `tier${i}`] as const),
  ])
  const id = (name: string) => idOf.get(name) ?? ''
  return [
    'flowchart TB',
    ...outside.map((name) => `  ${id(name)}([${quoted(name)}])`),
    ...tiers.flatMap(({ name, hosts }) => [
      `  subgraph ${id(name)}[${quoted(name)}]`,
      '    direction LR',
      ...hosts.map((host, i) => `    ${id(name)}_${i}[${quoted(host)}]`),
      '  end',
    ]),
    ...links.map(({ from, to, over }) => `  ${id(from)} -->|${quoted(over)}| ${id(to)}`),
    `  subgraph plays[${quoted('plays, in order')}]`,
    '    direction TB',
    ...plays.map(({ label, on, how }, i) => {
      const lines = [`${i + 1}. ${label}`, on, how].filter((part) => part !== '').join('<br>')
      return `    play${i}[${quoted(lines, true)}]`
    }),
    ...plays.slice(1).map((_, i) => `    play${i} --> play${i + 1}`),
    '  end',
  ].join('\n')
}

/** @param lines keep `<br>` as a line break */
function quoted(text: string, lines = false): string {
  const safe = text.replace(/[&<>"#`]/g, (sign) => `#${sign.codePointAt(0)};`)
  return `"${lines ? safe.replaceAll('#60;br#62;', '<br>') : safe}"`
}
