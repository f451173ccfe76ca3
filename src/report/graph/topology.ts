import type { BatchSize } from '../../model/playbook/batches.ts'
import type { Play } from '../../model/playbook/play.ts'
import type { IngressRule } from '../../model/resource/step.ts'

/** The tiers of an inventory and the plays of a playbook, as `provision graph` draws them. */
export interface Graph {
  readonly topology: Topology
  readonly plays: readonly PlayNode[]
}

/** The groups of an inventory and the connections that their hosts allow. */
export interface Topology {
  /** Clients before their servers. */
  readonly tiers: readonly Tier[]
  readonly links: readonly Link[]
}

export interface Tier {
  readonly name: string
  readonly hosts: readonly string[]
}

/** A connection that some host of a tier allows. */
export interface Link {
  /** A tier, `anywhere`, or a network. */
  readonly from: string
  /** A tier; equal to `from` for connections within it. */
  readonly to: string
  /** `80, 443`, `VRRP`. */
  readonly over: string
}

/** A host and its inbound rules; undefined for one without a firewall. */
interface HostIngress {
  readonly name: string
  readonly group: string
  readonly address: string
  readonly admits?: readonly IngressRule[] | undefined
}

/** Derives the links from the firewalls of the servers. */
export function topologyOf(hosts: readonly HostIngress[]): Topology {
  const groups = new Map<string, string[]>()
  const groupsAt = new Map<string, string[]>()
  for (const { name, group, address } of hosts) {
    groups.set(group, [...(groups.get(group) ?? []), name])
    groupsAt.set(address, [...(groupsAt.get(address) ?? []), group])
  }
  const over = new Map<string, { readonly from: string; readonly to: string; readonly what: Set<string> }>()
  for (const { group: to, admits = [] } of hosts) {
    for (const one of admits) {
      const sources = one.from === 'anywhere' ? ['anywhere'] : one.from.flatMap((at) => groupsAt.get(at) ?? at)
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

/** The longest chain of clients before each tier. Tiers that connect to each other keep the order of the inventory. */
function ranksOf(tiers: readonly string[], links: readonly Link[]): ReadonlyMap<string, number> {
  const ranks = new Map<string, number>()
  const rank = (tier: string, path: readonly string[]): number => {
    const known = ranks.get(tier)
    if (known !== undefined) return known
    if (path.includes(tier)) return 0
    const clients = links.filter(({ from, to }) => to === tier && from !== tier && tiers.includes(from))
    const found = Math.max(-1, ...clients.map(({ from }) => rank(from, [...path, tier]))) + 1
    if (path.length === 0) ranks.set(tier, found)
    return found
  }
  for (const tier of tiers) rank(tier, [])
  return ranks
}

export interface PlayNode {
  readonly label: string
  /** Tiers or hosts. */
  readonly on: string
  /** Batch size and drain; empty when all hosts run at once. */
  readonly how: string
}

export function playNode(play: Play, tiers: readonly Tier[]): PlayNode {
  const how = [batching(play), play.drain && `drain: ${play.drain.label}`].filter((part) => part)
  return { label: play.label, on: targets(play, tiers), how: how.join(', ') }
}

/** Whole tiers by name, then single hosts. */
function targets({ hosts }: Play, tiers: readonly Tier[]): string {
  const names = new Set(hosts.map(({ name }) => name))
  const whole = tiers.filter((tier) => tier.hosts.length > 0 && tier.hosts.every((name) => names.has(name)))
  const rest = new Set(names)
  for (const tier of whole) for (const name of tier.hosts) rest.delete(name)
  return [...whole.map(({ name }) => name), ...rest].join(', ')
}

function batching({ serial, maxUnavailable, hosts }: Play): string {
  if (hosts.length < 2) return ''
  if (maxUnavailable !== undefined) return `at most ${sizeText(maxUnavailable)} unavailable`
  return serial ? serial.map((size) => `${sizeText(size)} at a time`).join(', then ') : ''
}

function sizeText(size: BatchSize): string {
  return size === 1 ? 'one' : String(size)
}
