import { hostname, userInfo } from 'node:os'
import type { OpenSession } from '../engine/hosts/scripts.ts'
import type { Become, Host, JumpHost, Ssh, Timeouts } from '../model/inventory/host.ts'
import { Problem } from '../model/problem.ts'
import { type Clock, sessionTimeouts } from '../transport/clock.ts'
import { openSession } from '../transport/session/open.ts'
import type { Ssh2Options } from '../transport/ssh2/transport.ts'
import type { Target, Transport } from '../transport/transport.ts'

export interface SessionSettings {
  /** Receives warnings about a host, for example that its sudo logs input. @default ignored */
  readonly warn?: (text: string) => void
  /** Overrides `timeouts.factor` of the inventory. */
  readonly timeoutFactor?: number
  /** Measures time limits. @default one clock per session */
  readonly clock?: Clock
}

/**
 * Opens the sessions of a run: a connection to the host, then a root shell. A run that changes the host also takes its lock.
 *
 * @param preferred takes precedence over `become` of the inventory
 */
export function sessions(
  transportOf: TransportOf,
  preferred: Become,
  { warn = () => {}, timeoutFactor, clock }: SessionSettings = {},
): OpenSession {
  const owner = `${userInfo().username}@${hostname()} (pid ${process.pid})`
  return async (host, { lock, stop }) => {
    const timeouts = sessionTimeouts(timeoutsFor(host, timeoutFactor))
    const transport = await transportOf(host)
    const connection = await transport.connect(targetOf(host, timeoutFactor), stop)
    const abort = () => void connection.close()
    stop?.addEventListener('abort', abort, { once: true })
    if (stop?.aborted) abort()
    const session = await openSession(connection, {
      host: host.name,
      become: becomeOf(host, preferred),
      ...timeouts,
      ...(clock && { clock }),
      ...(lock && { lock: { owner } }),
    }).catch(async (error: unknown) => {
      await connection.close()
      throw error
    })
    session.opened.then(({ warnings }) => warnings.forEach(warn)).catch(() => {})
    const close = async () => {
      // The listener holds the connection in memory.
      stop?.removeEventListener('abort', abort)
      await session.close()
      await connection.close()
    }
    return { session, close, timeoutFactor: timeouts.timeoutFactor, ...(clock && { clock }) }
  }
}

/** The method to become root on the host. @param preferred takes precedence over the inventory */
export function becomeOf({ become }: Pick<Host, 'become'>, preferred: Become) {
  const { method = 'sudo', password } = { ...become, ...preferred }
  return { method, ...(password && { password }) }
}

/** The time limits of a host. @param factor overrides `timeouts.factor` of the inventory */
export function timeoutsFor({ timeouts = {} }: Pick<Host, 'timeouts'>, factor?: number): Timeouts {
  return factor === undefined ? timeouts : { ...timeouts, factor }
}

/** Converts a host of the inventory to the target of a transport. @param factor overrides `timeouts.factor` of the inventory */
export function targetOf(host: Host, factor?: number): Target {
  const { name, address, ssh = {} } = host
  const { proxyJump, host: at = address, transport: _, ...rest } = ssh
  const { factor: effective, login, keepalive } = timeoutsFor(host, factor)
  const limits = Object.entries({ factor: effective, login, keepalive }).filter(([, limit]) => limit !== undefined)
  const timeouts = limits.length > 0 && { timeouts: Object.fromEntries(limits) }
  const jumpHosts = proxyJump && 'host' in proxyJump ? [proxyJump] : proxyJump
  const jumps = jumpHosts?.map((one: JumpHost) => ({ name: one.host, ...one, ...timeouts }))
  // ssh_config matches `ssh.host`; without it, the name in the inventory as well as the address.
  const alias = ssh.host === undefined ? { alias: name } : {}
  return { name, host: at, ...alias, ...rest, ...timeouts, ...(jumps && { proxyJump: jumps }) }
}

export type TransportName = NonNullable<Ssh['transport']>

/** Returns the transport of a host. A transport is loaded when the first host needs it. */
export type TransportOf = (host: Pick<Host, 'name' | 'ssh'>) => Promise<Transport>

/** @param preferred for hosts without `ssh.transport` in the inventory */
export function transports(options: Ssh2Options, preferred: TransportName = 'ssh2'): TransportOf {
  const loaded = new Map<TransportName, Promise<Transport>>()
  return ({ name: host, ssh }) => {
    const name = ssh?.transport ?? preferred
    if (!Object.hasOwn(LOAD, name))
      throw new Problem(`${host}: unknown transport "${name}"`, { next: `Use one of ${TRANSPORTS.join(', ')}.` })
    const transport = loaded.get(name) ?? LOAD[name](options)
    loaded.set(name, transport)
    return transport
  }
}

const LOAD: Readonly<Record<TransportName, (options: Ssh2Options) => Promise<Transport>>> = {
  ssh2: async (options) => (await import('../transport/ssh2/transport.ts')).sshTransport(options),
  openssh: async (options) => (await import('../transport/openssh/transport.ts')).opensshTransport(options),
  local: async () => (await import('../transport/local.ts')).localTransport(),
}

export const TRANSPORTS = Object.keys(LOAD)
