import ipaddr from 'ipaddr.js'
import { isAddress } from '../../model/inventory/fields.ts'
import type { IngressRule } from '../../model/resource/step.ts'

/** Allowed inbound traffic, in addition to replies, loopback, ssh and what IP itself needs. */
export type FirewallRule =
  | {
      /** Ports, and ranges such as `8000-8100`. */
      readonly port: Port | readonly Port[]
      /** @default 'tcp' */
      readonly protocol?: 'tcp' | 'udp'
      /** The maximum rate of new connections to these ports, from all sources together: `10/minute`. More are dropped. @default no limit */
      readonly rate?: `${number}/${'second' | 'minute' | 'hour'}`
      /** Allowed sources: hosts, or networks such as `10.0.0.0/8`; an empty list allows none. */
      readonly from: 'anywhere' | readonly { readonly address: string }[]
    }
  | {
      /** The protocol of keepalived. */
      readonly protocol: 'vrrp'
      readonly from: readonly { readonly address: string }[]
    }

/** Allowed outgoing traffic, in addition to replies, loopback, ICMP and DHCP. */
export interface OutgoingRule {
  /** Ports, and ranges such as `8000-8100`. */
  readonly port: Port | readonly Port[]
  /** @default 'tcp' */
  readonly protocol?: 'tcp' | 'udp'
  /** Allowed destinations: hosts, or networks such as `10.0.0.0/8`; an empty list allows none. */
  readonly to: 'anywhere' | readonly { readonly address: string }[]
}

/** A port, or a range with both ends. */
export type Port = number | `${number}-${number}`

export function ingressOf(rule: FirewallRule): IngressRule {
  const to =
    'port' in rule ? [rule.port].flat().map((port) => (rule.protocol === 'udp' ? `${port}/udp` : port)) : rule.protocol
  return { to, from: rule.from === 'anywhere' ? rule.from : rule.from.map(({ address }) => address) }
}

export interface SshAccess {
  /** Networks as CIDRs, or single addresses. @default 'anywhere' */
  readonly ssh?: 'anywhere' | readonly string[]
  /** The port of sshd. @default 22 */
  readonly sshPort?: number
}

export interface RulesetOptions extends SshAccess {
  /** The outgoing traffic; all other is dropped. Name servers and mirrors need a rule, too. @default all is allowed */
  readonly outgoing?: readonly OutgoingRule[]
}

/** Our own table; other tables are never changed. */
export const TABLE = 'provision'

/** The protocol number of VRRP: the name requires /etc/protocols. */
const VRRP = 112

/**
 * The table as a file for `nft -f`. The first two lines make `nft` replace the table in one transaction of the kernel. (nft 1.0.6 of
 * Debian 12 has no `destroy`.)
 *
 * @throws TypeError for an invalid address or port
 */
export function ruleset(
  rules: readonly FirewallRule[],
  { ssh = 'anywhere', sshPort = 22, outgoing }: RulesetOptions = {},
): string {
  return `# Made by provision: changes are lost.
table inet ${TABLE}
delete table inet ${TABLE}
table inet ${TABLE} {
	set ssh_ports {
		type inet_service
		elements = { ${ports(sshPort)} }
	}
${ssh === 'anywhere' ? '' : sshSources(ssh)}
	chain input {
		type filter hook input priority filter; policy drop;
		ct state vmap { established : accept, related : accept, invalid : drop }
		iifname "lo" accept
		icmp type { echo-request, destination-unreachable, time-exceeded, parameter-problem } accept
		icmpv6 type { echo-request, destination-unreachable, packet-too-big, time-exceeded, parameter-problem } accept
		icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query } accept
		udp sport 67 udp dport 68 accept
		ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept
${joinLines(ssh === 'anywhere' ? ['tcp dport @ssh_ports accept'] : SSH_RULES)}${joinLines(rules.flatMap(accepting))}	}
${outgoing ? outputChain(outgoing) : ''}}
`
}

/** The numbers are those of ICMP and ICMPv6, whose names require /etc/protocols. */
function outputChain(rules: readonly OutgoingRule[]): string {
  return `	chain output {
		type filter hook output priority filter; policy drop;
		ct state vmap { established : accept, related : accept, invalid : drop }
		oifname "lo" accept
		meta l4proto { 1, 58 } accept
		udp sport 68 udp dport 67 accept
		udp sport 546 udp dport 547 accept
${joinLines(rules.flatMap((rule) => matching(portsOf(rule), 'daddr', rule.to)))}	}
`
}

const SSH_RULES = [
  'ip saddr @ssh_from_4 tcp dport @ssh_ports accept',
  'ip6 saddr @ssh_from_6 tcp dport @ssh_ports accept',
]

function sshSources(networks: readonly string[]): string {
  for (const one of networks) checkSource('firewall: ssh', one)
  const of = (version: 4 | 6) => {
    const elements = sorted(networks.filter((one) => versionOf(one) === version))
    return `	set ssh_from_${version} {
		type ipv${version}_addr
		flags interval
		auto-merge
${elements.length > 0 ? `		elements = { ${elements.join(', ')} }\n` : ''}	}
`
  }
  return of(4) + of(6)
}

function accepting(rule: FirewallRule): readonly string[] {
  return matching('port' in rule ? portsOf(rule) : `meta l4proto ${VRRP}`, 'saddr', rule.from)
}

function matching(
  what: string,
  side: 'saddr' | 'daddr',
  peers: 'anywhere' | readonly { readonly address: string }[],
): readonly string[] {
  if (peers === 'anywhere') return [`${what} accept`]
  const addresses = peers.map(({ address }) => address)
  for (const one of addresses) checkSource('firewall', one)
  return ([4, 6] as const).flatMap((version) => {
    const own = sorted(addresses.filter((one) => versionOf(one) === version))
    return own.length === 0 ? [] : [`${version === 4 ? 'ip' : 'ip6'} ${side} { ${own.join(', ')} } ${what} accept`]
  })
}

function portsOf({
  port,
  protocol = 'tcp',
  rate,
}: Omit<Extract<FirewallRule, { readonly port: unknown }>, 'from'>): string {
  if (rate !== undefined && !/^[1-9]\d{0,8}\/(?:second|minute|hour)$/.test(rate))
    throw new TypeError(`firewall: "${rate}" is not a rate such as 10/minute`)
  const limit = rate === undefined ? '' : ` ct state new limit rate ${rate}`
  return `${protocol} dport { ${ports(port)} }${limit}`
}

/** Names are not allowed: nft would resolve them once, when the ruleset is loaded. */
function checkSource(what: string, source: string): void {
  if (!isAddress(source) && !ipaddr.isValidCIDR(source))
    throw new TypeError(`${what}: ${JSON.stringify(source)} is neither a network such as 10.0.0.0/8 nor an address`)
}

function ports(given: Port | readonly Port[]): string {
  const all = new Map<string, number>()
  for (const one of typeof given === 'object' ? given : [given]) {
    const ends = String(one).split('-').map(Number)
    const [first = Number.NaN, last = first] = ends
    const isPort = ends.every((port) => Number.isInteger(port) && port >= 1 && port <= 65_535)
    if (!isPort || ends.length > 2 || first > last)
      throw new TypeError(`firewall: ${one} is not a port from 1 to 65535 or a range such as 8000-8100`)
    all.set(String(one), first)
  }
  if (all.size === 0) throw new TypeError('firewall: an empty list is not a port from 1 to 65535')
  return [...all]
    .sort(([, a], [, b]) => a - b)
    .map(([text]) => text)
    .join(', ')
}

function versionOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4
}

/** Removes duplicates and sorts, so that the order in the inventory does not matter. */
function sorted(addresses: readonly string[]): readonly string[] {
  return [...new Set(addresses)].sort()
}

function joinLines(rules: readonly string[]): string {
  return rules.map((rule) => `\t\t${rule}\n`).join('')
}
