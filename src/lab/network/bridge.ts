import { run, tryRun } from '../base/run.ts'
import { bridgePort, GATEWAY, macAddress } from './addresses.ts'

/** A host on the bridge. */
interface HostPort {
  readonly name: string
  readonly address: string
}

/** The path of a host's network namespace, as the supervisor sees it. */
export function namespacePath(host: string): string {
  return `/run/netns/${host}`
}

/**
 * Creates the bridge in this process's network namespace, which has no other device and so no route out. Without these three settings its
 * ports would forward nothing for 15 s, and VRRP would wait for a multicast querier.
 */
export async function createBridge(): Promise<void> {
  await ip(
    'link set lo up',
    'link add bridge type bridge stp_state 0 forward_delay 0 mcast_snooping 0',
    `addr add ${GATEWAY}/24 dev bridge`,
    'link set bridge up',
  )
}

/** Creates a host's network namespace, with no addresses, rules or sysctls of an earlier boot, and connects it to the bridge. */
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

/** Removes the link first: a namespace without processes would still answer for its addresses. */
export async function disconnectHost({ name, address }: HostPort): Promise<void> {
  await tryRun('ip', ['link', 'del', bridgePort(address)])
  await tryRun('ip', ['netns', 'del', name])
}

/** Sets the bridge's side of the link: a host that sets its own link down loses its routes. */
export async function setLink({ address }: HostPort, up: boolean): Promise<void> {
  await ip(`link set ${bridgePort(address)} ${up ? 'up' : 'down'}`)
}

/** Blocks traffic between these pairs of addresses only. Uses the `nft` of the base image: the machine may have none. */
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
