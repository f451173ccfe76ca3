import { hostname, userInfo } from 'node:os'
import type { OpenSession } from '../engine/fleet.ts'
import type { Become, Host, Via } from '../model/host.ts'
import { openSession } from '../transport/open-session.ts'
import type { Target } from '../transport/wire.ts'
import type { TransportOf } from './transports.ts'

/**
 * How a run gets its sessions: a link to the host, then a root shell on it; who changes a host also holds its lock.
 * @param warn takes what a person should know of a host, such as a sudo that writes down what it is sent
 */
export function sessions(
  transportOf: TransportOf,
  preferred: Become,
  warn: (text: string) => void = () => {},
): OpenSession {
  const owner = `${userInfo().username}@${hostname()} (pid ${process.pid})`
  return async (host, purpose) => {
    const transport = await transportOf(host)
    const link = await transport.connect(targetOf(host))
    const session = await openSession(link, {
      host: host.name,
      become: becoming(host, preferred),
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
    return { session, close }
  }
}

/** How to become root there. @param preferred goes before the inventory's word */
export function becoming({ become }: Pick<Host, 'become'>, preferred: Become) {
  const { method = 'sudo', password } = { ...become, ...preferred }
  return { method, ...(password && { password }) }
}

/** A host of an inventory as a transport sees it. */
export function targetOf({ name, address, ssh = {} }: Host): Target {
  const { via, host = address, transport: _, ...rest } = ssh
  const ways = via && 'host' in via ? [via] : via
  return { name, host, ...rest, ...(ways && { via: ways.map(hop) }) }
}

function hop(via: Via): Target {
  return { name: via.host, ...via }
}
