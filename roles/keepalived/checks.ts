import { BlockList, isIPv6 } from 'node:net'
import {
  askEach,
  type Check,
  check,
  expect,
  type Group,
  type HostAnswer,
  type Output,
  output,
  Problem,
  sh,
  Unknown,
} from 'provision-ts'
import { runs } from '../base/checks.ts'
import { MAINTENANCE } from './params.ts'

/** Checks of the hosts that may hold the virtual IP address. @param vip with or without its prefix length */
export function keepalivedChecks(balancers: Pick<Group, 'hosts'>, vip: string): readonly Check[] {
  const address = vip.replace(/\/.*/, '')
  const addresses = askEach(balancers, output('the addresses of the host', sh`ip -o address show`))
  return [
    expect(`exactly one host holds ${address}`, addresses, (all) => vipHolderProblem(all, address), {
      next: 'See journalctl -u keepalived on each of them.',
      says: (all) => `${holders(all, address)[0]} holds ${address}`,
    }),
    ...balancers.hosts.flatMap((host) => [
      runs(host, 'keepalived'),
      check(
        host,
        'is not in maintenance',
        sh`[ -e ${MAINTENANCE} ] || exit 0
read -r switch < ${MAINTENANCE} || [ "$switch" ] || exit 75
[ "$switch" = 0 ] || { echo 'the maintenance switch is on'; exit 1; }`,
        { next: `After the maintenance: echo 0 > ${MAINTENANCE}` },
      ),
    ]),
  ]
}

type Addresses = HostAnswer<Output | Problem>

/** Returns undefined if one host has the address. Two are a failure, also if another host does not answer. */
export function vipHolderProblem(all: readonly Addresses[], address: string): string | Problem | undefined {
  const found = holders(all, address)
  if (found.length > 1) return `${found.join(' and ')} hold it`
  for (const { host, answer } of all) {
    if (answer instanceof Problem) return new Unknown(`${host.name}: ${answer.message}`)
    if (!answer || addressesIn(answer).length === 0) return new Unknown(`${host.name} does not report its addresses`)
  }
  return found.length === 1 ? undefined : 'no host holds it'
}

function holders(all: readonly Addresses[], address: string): readonly string[] {
  const wanted = new BlockList()
  wanted.addAddress(address, isIPv6(address) ? 'ipv6' : 'ipv4')
  return all.flatMap(({ host, answer }) =>
    answer &&
    !(answer instanceof Problem) &&
    addressesIn(answer).some((one) => wanted.check(one, isIPv6(one) ? 'ipv6' : 'ipv4'))
      ? [host.name]
      : [],
  )
}

/** Never empty: it includes the loopback address. */
function addressesIn({ said }: Output): readonly string[] {
  return [...said.matchAll(/\sinet6? ([^\s/]+)/g)].map(([, one = '']) => one)
}
