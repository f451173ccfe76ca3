import { hostname, userInfo } from 'node:os'
import type { OpenSession } from '../engine/hosts/hosts.ts'
import type { Become, Host, JumpHost, Timeouts } from '../model/inventory/host.ts'
import type { Clock } from '../transport/clock.ts'
import { openSession } from '../transport/session/open.ts'
import { sessionTimeouts } from '../transport/timeouts.ts'
import type { Target } from '../transport/transport.ts'
import type { TransportOf } from './transports.ts'

export interface SessionSettings {
  /** Takes warnings about a host, such as a sudo that logs its input. @default they are dropped */
  readonly warn?: (text: string) => void
  /** Replaces `timeouts.factor` of the inventory. */
  readonly timeoutFactor?: number
  /** Measures the limits. @default a clock for each session */
  readonly clock?: Clock
}

/** How a run gets its sessions: a link to the host, then a root shell on it; who changes a host also holds its lock. */
export function sessions(
  transportOf: TransportOf,
  preferred: Become,
  { warn = () => {}, timeoutFactor, clock }: SessionSettings = {},
): OpenSession {
  const owner = `${userInfo().username}@${hostname()} (pid ${process.pid})`
  return async (host, purpose, stop) => {
    const timeouts = sessionTimeouts(timeoutsFor(host, timeoutFactor))
    const transport = await transportOf(host)
    const link = await transport.connect(targetOf(host, timeoutFactor), stop)
    const leave = () => void link.close()
    stop?.addEventListener('abort', leave, { once: true })
    if (stop?.aborted) leave()
    const session = await openSession(link, {
      host: host.name,
      become: becomeOf(host, preferred),
      ...timeouts,
      ...(clock && { clock }),
      ...(purpose === 'change' && { lock: { owner } }),
    }).catch(async (error: unknown) => {
      await link.close()
      throw error
    })
    session.opened.then(({ warnings }) => warnings.forEach(warn)).catch(() => {})
    const close = async () => {
      await session.close()
      await link.close()
    }
    return { session, close, timeoutFactor: timeouts.timeoutFactor, ...(clock && { clock }) }
  }
}

/** How to become root there. @param preferred goes before the inventory's word */
export function becomeOf({ become }: Pick<Host, 'become'>, preferred: Become) {
  const { method = 'sudo', password } = { ...become, ...preferred }
  return { method, ...(password && { password }) }
}

/** The limits of a host. @param factor replaces that of the inventory */
export function timeoutsFor({ timeouts = {} }: Pick<Host, 'timeouts'>, factor?: number): Timeouts {
  return factor === undefined ? timeouts : { ...timeouts, factor }
}

/** A host of an inventory as a transport sees it. @param factor replaces that of the inventory */
export function targetOf(host: Host, factor?: number): Target {
  const { name, address, ssh = {} } = host
  const { proxyJump, host: at = address, transport: _, ...rest } = ssh
  const { factor: stretch, login, keepalive } = timeoutsFor(host, factor)
  const limits = Object.entries({ factor: stretch, login, keepalive }).filter(
    ([, limit]) => limit !== undefined,
  )
  const timeouts = limits.length > 0 && { timeouts: Object.fromEntries(limits) }
  const ways = proxyJump && 'host' in proxyJump ? [proxyJump] : proxyJump
  const jumps = ways?.map((way) => ({ ...hop(way), ...timeouts }))
  // A host that is reached by a name of its own is that name to ssh_config, else its name in the inventory counts beside the address.
  const alias = ssh.host === undefined ? { alias: name } : {}
  return { name, host: at, ...alias, ...rest, ...timeouts, ...(jumps && { proxyJump: jumps }) }
}

function hop(via: JumpHost): Target {
  return { name: via.host, ...via }
}
