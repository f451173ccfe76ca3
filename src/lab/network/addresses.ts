import { Problem } from '../../model/problem.ts'

/** The lab's network (RFC 2544: reserved for tests of network devices, so no real network has it). */
const NETWORK = '198.18.0.'
/** The bridge's address. The apt proxy listens there; nothing is routed beyond it. */
export const GATEWAY = `${NETWORK}1`
/** The virtual IP address of the balancers. */
export const VIP = `${NETWORK}10`
export const APT_PORT = 3142

export const DEFAULT_NAME = 'demo'
const PAIRS = ['lb1', 'lb2', 'web1', 'web2', 'app1', 'app2', 'db1', 'db2'] as const

/** Two hosts per tier; on Debian 13, which has the packages for automatic failover, also a host for the third vote. */
export function defaultHosts(debian: 12 | 13): readonly string[] {
  return debian === 13 ? [...PAIRS, 'witness1'] : PAIRS
}

/** Assigns an address to each name; a name that has one keeps it. */
export function planAddresses(
  names: readonly string[],
  taken: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  const plan = new Map(taken)
  const used = new Set(taken.values())
  for (const name of names) {
    if (plan.has(name)) continue
    const address = ownAddress(name) ?? freeAddress(used)
    plan.set(name, address)
    used.add(address)
  }
  return plan
}

/** The loopback port of the default lab's host: 2200 and the last byte of its address. */
export function usualPort(address: string): number {
  return 2200 + lastByte(address)
}

/** Derived from the address, so that a host keeps it across boots: a new one leaves its peers with a stale neighbour entry. */
export function macAddress(address: string): string {
  return `02:00:c6:12:00:${lastByte(address).toString(16).padStart(2, '0')}`
}

/** The bridge port of a host. */
export function bridgePort(address: string): string {
  return `p${lastByte(address)}`
}

const TIERS: Readonly<Record<string, number>> = { lb: 10, web: 20, app: 30, db: 40, witness: 60 }

function ownAddress(name: string): string | undefined {
  const [, tier = '', number = ''] = /^([a-z]+)([1-9])$/.exec(name) ?? []
  const first = TIERS[tier]
  return first === undefined ? undefined : `${NETWORK}${first + Number(number)}`
}

function freeAddress(used: ReadonlySet<string>): string {
  for (let byte = 51; byte < 255; byte++) {
    if (!used.has(`${NETWORK}${byte}`)) return `${NETWORK}${byte}`
  }
  throw new Problem('The lab has no free address for another host: 51 to 254 are in use.', {
    next: 'Bring the others up in another lab: provision lab up --name …',
  })
}

function lastByte(address: string): number {
  return Number(address.slice(NETWORK.length))
}
