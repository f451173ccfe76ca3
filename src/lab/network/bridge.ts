import { run, tryRun } from '../run.ts'
import { bridgePort, GATEWAY, macAddress } from './addresses.ts'

/** Who is at the end of a cable. */
export interface HostPort {
  readonly name: string
  readonly address: string
}

/** The path of a host's network namespace, as the supervisor sees it. */
export function namespacePath(host: string): string {
  return `/run/netns/${host}`
}

/**
 * Lays the bridge in this process's own network namespace, which has no other device, so no route out. Its ports would
 * be deaf for 15 s, and VRRP would wait for a multicast querier, without these three settings.
 */
export async function createBridge(): Promise<void> {
  await ip(
    'link set lo up',
    'link add bridge type bridge stp_state 0 forward_delay 0 mcast_snooping 0',
    `addr add ${GATEWAY}/24 dev bridge`,
    'link set bridge up',
  )
}

/** A namespace made afresh, as a machine forgets its addresses, rules and sysctls with its power; and a cable to the bridge. */
export async function connectHost({ name, address }: HostPort): Promise<void> {
  const port = bridgePort(address)
  await run('ip', ['netns', 'add', name])
  await ip(
    `link add ${port} type veth peer name eth0 address ${macAddress(address)} netns ${name}`,
    `link set ${port} master bridge up`,
  )
  await run('ip', ['-netns', name, '-batch', '-'], {
    input: lines(
      'link set lo up',
      `addr add ${address}/24 dev eth0`,
      'link set eth0 up',
      `route add default via ${GATEWAY}`,
    ),
  })
}

/** The cable goes first: a namespace without any process would still answer for its addresses. */
export async function disconnectHost({ name, address }: HostPort): Promise<void> {
  await tryRun('ip', ['link', 'del', bridgePort(address)])
  await tryRun('ip', ['netns', 'del', name])
}

/** From outside, as a pulled cable: a host that sets its own link down loses its routes for good. */
export async function setLink({ address }: HostPort, up: boolean): Promise<void> {
  await ip(`link set ${bridgePort(address)} ${up ? 'up' : 'down'}`)
}

/** Keeps these pairs of addresses from one another, and no others. Uses the `nft` of the base image: the machine may have none. */
export async function setSplits(pairs: readonly (readonly [string, string])[], base: string): Promise<void> {
  const drops = pairs.flatMap(([a, b]) => [drop(a, b), drop(b, a)])
  const input = lines(
    'table bridge lab',
    'delete table bridge lab',
    'table bridge lab {',
    'chain forward {',
    'type filter hook forward priority 0',
    ...drops,
    '}',
    '}',
  )
  await run('chroot', [base, 'nft', '-f', '-'], { input })
}

function drop(from: string, to: string): string {
  return `iifname ${bridgePort(from)} oifname ${bridgePort(to)} drop`
}

async function ip(...commands: readonly string[]): Promise<void> {
  await run('ip', ['-batch', '-'], { input: lines(...commands) })
}

function lines(...all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join('')
}
