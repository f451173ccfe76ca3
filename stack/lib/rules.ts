import { BlockList } from 'node:net'
import type { Host, KeyPair } from 'provision-ts'
import { certificateProblem } from 'provision-ts/pki'
import type { Synchronous } from '../../roles/patroni/index.ts'

/** The hosts of a tier as its rules see them. */
interface Tier {
  readonly name: string
  readonly hosts: readonly Host<object>[]
}

/** A host belongs to one tier, because its firewall has the rules of one tier. */
export function oneTierPerHost(tiers: readonly Tier[]): readonly string[] {
  const first = new Map<string, string>()
  return tiers.flatMap(({ name: tier, hosts }) =>
    hosts.flatMap(({ name }) => {
      const other = first.get(name)
      first.set(name, other ?? tier)
      return other === undefined ? [] : [`${tier}.hosts.${name}: is in ${other} too; a host belongs to one tier`]
    }),
  )
}

export function distinctPriorities(balancers: readonly Host<{ readonly priority: number }>[]): readonly string[] {
  return balancers.flatMap(({ name, priority }, i) => {
    const other = balancers.slice(0, i).find((one) => one.priority === priority)
    return other
      ? [`lb.hosts.${name}.priority: is ${priority}, as that of ${other.name}; both would hold the address`]
      : []
  })
}

/** The virtual IP is in the network of the load balancers, and no host has it as its own address. */
export function validVip(vip: string, balancers: readonly Host<object>[], tiers: readonly Tier[]): readonly string[] {
  const [address = '', length = ''] = vip.split('/')
  const network = new BlockList()
  network.addSubnet(address, Number(length), familyOf(address))
  return [
    ...tiers.flatMap(({ hosts }) =>
      hosts
        .filter((host) => host.address === address)
        .map(({ name }) => `vip: ${address} is the address of ${name}; it should belong to no host`),
    ),
    ...balancers
      .filter((host) => !network.check(host.address, familyOf(host.address)))
      .map(({ name, address: own }) => `lb.hosts.${name}.address: ${own} is not in the network of vip, ${vip}`),
  ]
}

/** The ports of a tier are not those of services that every host has. */
export function freePorts(
  tier: string,
  hosts: readonly Host<{ readonly port: number }>[],
  taken: Readonly<Record<number, string>>,
): readonly string[] {
  return hosts.flatMap(({ name, port }) => {
    const owner = taken[port]
    return owner === undefined ? [] : [`${tier}.hosts.${name}.port: ${port} is that of ${owner}`]
  })
}

/** A new cluster begins on exactly one host. */
export function oneSeed(databases: readonly Host<{ readonly seed: boolean }>[]): readonly string[] {
  const seeds = databases.filter(({ seed }) => seed).map(({ name }) => name)
  if (seeds.length === 1) return []
  return [
    seeds.length === 0
      ? 'db.hosts: no host has seed: true; replicas would have no primary'
      : `db.hosts: ${seeds.join(' and ')} have seed: true; they would be two primaries`,
  ]
}

/** A replica can only be of the version of its primary. */
export function oneVersion(databases: readonly Host<{ readonly version?: number }>[]): readonly string[] {
  const [first, ...others] = databases.filter(({ version }) => version !== undefined)
  return others
    .filter(({ version }) => version !== first?.version)
    .map(
      ({ name, version }) =>
        `db.hosts.${name}.version: is ${version}, that of ${first?.name} is ${first?.version}; a replica has its primary's`,
    )
}

/** Automatic failover needs a majority that outlives the loss of any one host, and writes that a replica has. */
export function votes({
  db,
  witness,
  synchronous,
}: {
  readonly db: readonly Host<{ readonly failover?: 'manual' | 'automatic' }>[]
  readonly witness: readonly Host<object>[]
  readonly synchronous: Synchronous | undefined
}): readonly string[] {
  const [first] = db
  const mixed = db.find(({ failover = 'manual' }) => failover !== (first?.failover ?? 'manual'))
  if (mixed)
    return [
      `db.hosts.${mixed.name}.failover: is ${mixed.failover ?? 'manual'}, that of ${first?.name} is ${first?.failover ?? 'manual'}; give it to db once`,
    ]
  if (first?.failover !== 'automatic')
    return synchronous === 'strict'
      ? [
          'synchronous: strict is for db.failover automatic; with manual failover and true, writes wait for a replica until `provision disable-sync-replication`',
        ]
      : []
  const all = db.length + witness.length
  return [
    db.length < 2 && 'db.failover: automatic needs a second database host; no host could take over',
    db.length >= 2 &&
      (all < 3 || all % 2 === 0) &&
      `db.failover: automatic needs an odd number of votes, three at least: ${db.length} database hosts and ${witness.length} in witness are ${all}. ${
        witness.length === 0
          ? 'Without a third vote neither of two hosts can know that the other is dead; add witness: { hosts: { … } }, or leave failover manual'
          : 'Add or remove a host in witness'
      }`,
    synchronous === false &&
      'db.failover: automatic with synchronous: false would lose acknowledged writes at each failover',
  ].filter((problem) => problem !== false)
}

/** The host that shortens a failover must outlive the primary, and there must be a failover to shorten. */
export function fastFailoverPossible({
  db,
  witness,
}: {
  readonly db: readonly Host<{ readonly failover?: 'manual' | 'automatic'; readonly fastFailover?: boolean }>[]
  readonly witness: readonly Host<object>[]
}): readonly string[] {
  const fast = db.filter(({ fastFailover }) => fastFailover)
  if (fast.length === 0) return []
  const other = db.find(({ fastFailover }) => !fastFailover)
  return [
    other && `db.hosts.${other.name}.fastFailover: is false, that of ${fast[0]?.name} is true; give it to db once`,
    db.some(({ failover }) => failover !== 'automatic') && `db.fastFailover: needs failover: 'automatic'`,
    witness.length !== 1 &&
      `db.fastFailover: needs one host in witness, which is never lost together with the primary; there are ${witness.length}`,
  ].filter((problem) => typeof problem === 'string')
}

/** Rejects certificates that clients would reject, before any host is contacted. */
export function validCertificates(
  {
    domain,
    certificate,
    authority,
  }: { readonly domain: string; readonly certificate: KeyPair; readonly authority: string },
  tiers: readonly {
    readonly name: string
    readonly hosts: readonly Host<{ readonly certificate: KeyPair }>[]
  }[],
): readonly string[] {
  const site = certificateProblem(certificate, { names: [domain] })
  return [
    ...(site === undefined ? [] : [`certificate: ${site}`]),
    ...tiers.flatMap(({ name: tier, hosts }) =>
      hosts.flatMap(({ name, address, certificate: own }) => {
        const fault = certificateProblem(own, { names: [name], addresses: [address], authority })
        return fault === undefined ? [] : [`${tier}.hosts.${name}.certificate: ${fault}`]
      }),
    ),
  ]
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4'
}
