import type { Admission } from '../../model/admission.ts'

/** The groups of an inventory, and who may talk to whom. */
export interface Topology {
  /** From the outside inwards: who is asked stands below who asks. */
  readonly tiers: readonly Tier[]
  readonly links: readonly Link[]
}

export interface Tier {
  readonly name: string
  readonly hosts: readonly string[]
}

/** That some host of one tier lets some host of another in. */
export interface Link {
  /** A tier, `anywhere`, or a network. */
  readonly from: string
  /** A tier; `from` itself for what its hosts say to each other. */
  readonly to: string
  /** `80, 443`, `VRRP`. */
  readonly over: string
}

/** A host of an inventory, and whom it lets in; undefined when nobody has said so. */
export interface HostIngress {
  readonly name: string
  readonly group: string
  readonly address: string
  readonly admits?: readonly Admission[] | undefined
}

/** Who may talk to whom is read from the firewalls of those who are talked to. */
export function topologyOf(hosts: readonly HostIngress[]): Topology {
  const groups = new Map<string, string[]>()
  const groupAt = new Map<string, string[]>()
  for (const { name, group, address } of hosts) {
    groups.set(group, [...(groups.get(group) ?? []), name])
    groupAt.set(address, [...(groupAt.get(address) ?? []), group])
  }
  const over = new Map<string, { readonly from: string; readonly to: string; readonly what: Set<string> }>()
  for (const { group: to, admits = [] } of hosts) {
    for (const one of admits) {
      const sources = one.from === 'anywhere' ? ['anywhere'] : one.from.flatMap((at) => groupAt.get(at) ?? at)
      for (const from of new Set(sources)) {
        const key = `${from}\n${to}`
        const link = over.get(key) ?? { from, to, what: new Set() }
        over.set(key, link)
        for (const port of one.to === 'vrrp' ? ['VRRP'] : one.to) link.what.add(String(port))
      }
    }
  }
  const links = [...over.values()].map(({ from, to, what }) => ({ from, to, over: [...what].join(', ') }))
  const ranks = ranksOf([...groups.keys()], links)
  const tiers = [...groups]
    .map(([name, names]) => ({ name, hosts: names }))
    .sort((a, b) => (ranks.get(a.name) ?? 0) - (ranks.get(b.name) ?? 0))
  return { tiers, links }
}

/** How many others stand above each tier at least. Who asks each other in a circle stands in the order of the inventory. */
function ranksOf(tiers: readonly string[], links: readonly Link[]): ReadonlyMap<string, number> {
  const ranks = new Map<string, number>()
  const rank = (tier: string, path: readonly string[]): number => {
    const known = ranks.get(tier)
    if (known !== undefined) return known
    if (path.includes(tier)) return 0
    const above = links.filter(({ from, to }) => to === tier && from !== tier && tiers.includes(from))
    const found = Math.max(-1, ...above.map(({ from }) => rank(from, [...path, tier]))) + 1
    if (path.length === 0) ranks.set(tier, found)
    return found
  }
  for (const tier of tiers) rank(tier, [])
  return ranks
}
