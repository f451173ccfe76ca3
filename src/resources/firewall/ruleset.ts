import ipaddr from 'ipaddr.js'
import { isAddress } from '../../model/inventory/fields.ts'
import { Problem } from '../../model/problem.ts'
import type { IngressRule } from '../../model/resource/step.ts'

/** What may come in, beside answers, the loopback, ssh and what IP itself needs. */
export type FirewallRule =
  | {
      /** TCP ports. */
      readonly port: number | readonly number[]
      /** Who may connect, as hosts or as networks such as `10.0.0.0/8`; nobody when the list is empty. */
      readonly from: 'anywhere' | readonly { readonly address: string }[]
    }
  | {
      /** The protocol in which balancers agree on who holds an address. */
      readonly protocol: 'vrrp'
      readonly from: readonly { readonly address: string }[]
    }

/** The rule as what it means. */
export function ingressOf(rule: FirewallRule): IngressRule {
  const to = 'port' in rule ? [rule.port].flat() : rule.protocol
  return { to, from: rule.from === 'anywhere' ? rule.from : rule.from.map(({ address }) => address) }
}

export interface SshAccess {
  /** Networks as CIDRs, or single addresses. @default 'anywhere' */
  readonly ssh?: 'anywhere' | readonly string[]
  /** Where sshd listens. @default 22 */
  readonly sshPort?: number
}

/** Our table: others' are left alone, which is why nothing is ever flushed. */
export const TABLE = 'provision'

/** The number of VRRP: the name would need /etc/protocols. */
const VRRP = 112

/**
 * The table as a file for `nft -f`. Its first two lines make the whole a swap: the table is there, gone, and there anew in one
 * commit of the kernel, between two packets. (nft 1.0.6 of Debian 12 has no `destroy`.)
 *
 * @throws Problem for what is no address or port: it would become a part of the ruleset's language
 */
export function ruleset(rules: readonly FirewallRule[], { ssh = 'anywhere', sshPort = 22 }: SshAccess = {}) {
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
${lines(ssh === 'anywhere' ? ['tcp dport @ssh_ports accept'] : SSH_RULES)}${lines(rules.flatMap(accepting))}	}
}
`
}

const SSH_RULES = [
  'ip saddr @ssh_from_4 tcp dport @ssh_ports accept',
  'ip6 saddr @ssh_from_6 tcp dport @ssh_ports accept',
]

/** What to write for a source. Names would be looked up once, when the ruleset is loaded. */
const ADDRESSES = 'Write a network such as 10.0.0.0/8, or a single address.'

function sshSources(networks: readonly string[]): string {
  for (const one of networks) {
    if (!isAddress(one) && !ipaddr.isValidCIDR(one))
      throw new Problem(
        `firewall: ssh from ${JSON.stringify(one)}, which is neither a network nor an address`,
        { next: ADDRESSES },
      )
  }
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
  const what = 'port' in rule ? `tcp dport { ${ports(rule.port)} }` : `meta l4proto ${VRRP}`
  if (rule.from === 'anywhere') return [`${what} accept`]
  const addresses = rule.from.map(({ address }) => address)
  for (const one of addresses) {
    if (!isAddress(one) && !ipaddr.isValidCIDR(one))
      throw new Problem(`firewall: ${JSON.stringify(one)} is neither an IP address nor a network`, {
        next: ADDRESSES,
      })
  }
  return ([4, 6] as const).flatMap((version) => {
    const own = sorted(addresses.filter((one) => versionOf(one) === version))
    return own.length === 0
      ? []
      : [`${version === 4 ? 'ip' : 'ip6'} saddr { ${own.join(', ')} } ${what} accept`]
  })
}

function ports(given: number | readonly number[]): string {
  const all = [...new Set(typeof given === 'number' ? [given] : given)].sort((a, b) => a - b)
  const wrong = all.find((port) => !Number.isInteger(port) || port < 1 || port > 65_535)
  if (wrong !== undefined || all.length === 0)
    throw new Problem(`firewall: ${wrong ?? 'an empty list'} is not a port`, {
      next: 'Name one from 1 to 65535, or a list of them.',
    })
  return all.join(', ')
}

function versionOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4
}

/** Each once and in an order of its own, so that the order in an inventory is no change. */
function sorted(addresses: readonly string[]): readonly string[] {
  return [...new Set(addresses)].sort()
}

function lines(rules: readonly string[]): string {
  return rules.map((rule) => `\t\t${rule}\n`).join('')
}
