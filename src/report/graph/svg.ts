import { linkText } from './text.ts'
import type { Graph, Link, PlayNode, Tier, Topology } from './topology.ts'

/** A fragment of SVG and its size. */
interface Picture {
  readonly body: string
  readonly width: number
  readonly height: number
}

/** Approximate widths of a letter. */
const LETTER = { label: 7.4, note: 6.6 }
const MARGIN = 24

/** A standalone image for a page or a README, with a light and a dark colour scheme. */
export function graphSvg({ topology, plays }: Graph): string {
  const left = tiersPicture(topology, 440)
  const right = playsPicture(plays)
  const width = MARGIN * 3 + left.width + right.width
  const height = MARGIN * 2 + Math.max(left.height, right.height)
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="Hosts by tier, allowed connections, and plays in order">
<style>${STYLE}</style>
<rect class="paper" width="${width}" height="${height}" rx="12"/>
<g transform="translate(${MARGIN} ${MARGIN})">
${left.body}
</g>
<g transform="translate(${MARGIN * 2 + left.width} ${MARGIN})">
${right.body}
</g>
</svg>
`
}

const CHIP = { height: 26, gap: 8, padding: 10 }
const BAND = { top: 28, bottom: 14, side: 14, gap: 36 }
const LANE = 44
/** More hosts are drawn as squares with tooltips. */
const MAX_NAMES = 24
const SQUARE = { height: 12, gap: 4 }

/** Tiers from top to bottom. A connection to the tier below is an arrow between them, any other between tiers a line at the side. */
export function tiersPicture({ tiers, links }: Topology, wanted: number): Picture {
  const isTier = (name: string) => tiers.some((tier) => tier.name === name)
  const at = (name: string) => tiers.findIndex((tier) => tier.name === name)
  const outer = links.filter(({ from, to }) => from === 'anywhere' && at(to) === 0)
  const aside = links.filter(({ from, to }) => isTier(from) && from !== to && at(to) !== at(from) + 1)
  const width = wanted - aside.length * LANE
  const pieces: string[] = []
  const bands: { readonly top: number; readonly bottom: number }[] = []
  let y = 0
  if (outer.length > 0) {
    pieces.push(text(width / 2, 14, 'anywhere', 'outside middle'))
    y = 20
  }
  for (const [i, tier] of tiers.entries()) {
    const above = i === 0 ? outer : links.filter(({ from, to }) => to === tier.name && from === tiers[i - 1]?.name)
    if (i > 0 || outer.length > 0) {
      if (above.length > 0) pieces.push(arrow(width / 2, y, BAND.gap, above.map(({ over }) => over).join(', ')))
      y += BAND.gap
    }
    const others = links.filter(
      (link) => link.to === tier.name && !above.includes(link) && (!isTier(link.from) || link.from === link.to),
    )
    const drawn = band(tier, others, { y, width })
    pieces.push(drawn.body)
    bands.push({ top: y, bottom: y + drawn.height })
    y += drawn.height
  }
  for (const [lane, link] of aside.entries()) {
    const [from, to] = [bands[at(link.from)], bands[at(link.to)]]
    if (from && to) pieces.push(sideways(link.over, width, lane, middle(from, lane), middle(to, lane)))
  }
  return { body: pieces.join('\n'), width: wanted, height: y }
}

function middle({ top, bottom }: { readonly top: number; readonly bottom: number }, lane: number): number {
  return (top + bottom) / 2 + (lane % 2 === 0 ? -7 : 7)
}

function band(
  { name, hosts }: Tier,
  links: readonly Link[],
  { y, width }: { readonly y: number; readonly width: number },
): { readonly body: string; readonly height: number } {
  const { height, gap } = hosts.length <= MAX_NAMES ? CHIP : SQUARE
  const rows = rowsOf(hosts, width - BAND.side * 2)
  const chips = rows.flatMap((row, i) => {
    const line = y + BAND.top + i * (height + gap)
    let x = (width - row.reduce((sum, { wide }) => sum + wide + gap, -gap)) / 2
    return row.map(({ host, wide }) => {
      const drawn = chip(host, { x, y: line, wide, height })
      x += wide + gap
      return drawn
    })
  })
  const bottom = y + BAND.top + rows.length * (height + gap) - gap + BAND.bottom
  const notes = links.map(linkText).join('; ')
  return {
    body: [
      `<rect class="band" x="0" y="${y}" width="${width}" height="${bottom - y}" rx="10"/>`,
      text(BAND.side, y + 20, name, 'tier'),
      notes === '' ? '' : text(width - BAND.side, y + 20, notes, 'note end'),
      ...chips,
    ].join('\n'),
    height: bottom - y,
  }
}

/** Breaks the hosts of a tier into rows of this width. */
function rowsOf(hosts: readonly string[], width: number): readonly (readonly Wide[])[] {
  const named = hosts.length <= MAX_NAMES
  const { gap } = named ? CHIP : SQUARE
  const rows: Wide[][] = [[]]
  let left = width
  for (const host of hosts) {
    const wide = named ? Math.round(host.length * LETTER.label + CHIP.padding * 2) : SQUARE.height
    if (left < wide && left < width) {
      rows.push([])
      left = width
    }
    rows.at(-1)?.push({ host, wide })
    left -= wide + gap
  }
  return rows
}

interface Wide {
  readonly host: string
  readonly wide: number
}

interface Box {
  readonly x: number
  readonly y: number
  readonly wide: number
  readonly height: number
}

function chip(host: string, { x, y, wide, height }: Box): string {
  const name = height === CHIP.height ? text(x + wide / 2, y + 17, host, 'middle') : ''
  const corner = height === CHIP.height ? 7 : 3
  return `<g class="host" data-host="${xml(host)}"><title>${xml(host)}</title><rect x="${x}" y="${y}" width="${wide}" height="${height}" rx="${corner}"/>${name}</g>`
}

function arrow(x: number, y: number, length: number, label: string): string {
  const end = y + length - 5
  return `<path class="link" d="M${x} ${y + 5}V${end}m-4 -5l4 5l4 -5"/>${text(x + 10, y + length / 2 + 4, label, 'note')}`
}

function sideways(label: string, x: number, lane: number, from: number, to: number): string {
  const out = x + 14 + lane * LANE
  const turn = to > from ? 8 : -8
  return `<path class="link" d="M${x} ${from}H${out - 8}q8 0 8 ${turn}V${to - turn}q0 ${turn} -8 ${turn}H${x + 5}m5 -4l-5 4l5 4"/>${text(out + 5, (from + to) / 2 + 4, label, 'note')}`
}

function playsPicture(plays: readonly PlayNode[]): Picture {
  const rows = plays.map(({ label, on, how }) => ({ label, note: [on, how].filter((part) => part !== '').join(' · ') }))
  const drawn = rows.map(({ label, note }, i) => {
    const y = 44 + i * 40
    const next = i + 1 < rows.length ? `<path class="link" d="M12 ${y + 8}v22"/>` : ''
    return `<circle class="dot" cx="12" cy="${y - 4}" r="11"/>${text(12, y, String(i + 1), 'number middle')}${text(34, y, label, '')}${text(34, y + 16, note, 'note')}${next}`
  })
  const widths = rows.map(({ label, note }) => Math.max(label.length * LETTER.label, note.length * LETTER.note))
  return {
    body: [text(0, 14, 'Plays, in order', 'tier'), ...drawn].join('\n'),
    width: Math.ceil(Math.max(120, ...widths)) + 34,
    height: 30 + rows.length * 40,
  }
}

function text(x: number, y: number, content: string, names: string): string {
  return `<text x="${x}" y="${y}"${names === '' ? '' : ` class="${names}"`}>${xml(content)}</text>`
}

export function xml(content: string): string {
  return content.replace(/[&<>"']/g, (sign) => `&#${sign.codePointAt(0)};`)
}

const STYLE = `
text{font:13px ui-sans-serif,system-ui,sans-serif;fill:#1f2430}
.middle{text-anchor:middle}.end{text-anchor:end}
.tier{font-weight:600}.note,.outside{fill:#5b6472;font-size:12px}.number{font-size:11px}
.paper{fill:#fff}.band{fill:#f4f5f8;stroke:#dfe2e9}.host rect,.dot{fill:#fff;stroke:#b9c0cc}
.link{fill:none;stroke:#7b8494;stroke-width:1.5;stroke-linecap:round;stroke-linejoin:round}
@media (prefers-color-scheme:dark){text{fill:#e6e9ef}.note,.outside{fill:#a3acba}
.paper{fill:#14171d}.band{fill:#1c2028;stroke:#2d333e}.host rect,.dot{fill:#252a34;stroke:#48505e}.link{stroke:#8b95a5}}
`
