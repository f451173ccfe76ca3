import type { Host, Ssh } from '../model/inventory/host.ts'
import { Problem } from '../model/problem.ts'
import type { SshOptions } from '../transport/ssh2/transport.ts'
import type { Transport } from '../transport/transport.ts'

export type TransportName = NonNullable<Ssh['transport']>

/** How each host is reached. A transport is loaded when the first host wants it, and then serves all that do. */
export type TransportOf = (host: Pick<Host, 'name' | 'ssh'>) => Promise<Transport>

/** @param preferred for hosts of which the inventory says nothing */
export function transports(options: SshOptions, preferred: TransportName = 'ssh2'): TransportOf {
  const loaded = new Map<TransportName, Promise<Transport>>()
  return ({ name: host, ssh }) => {
    const name = ssh?.transport ?? preferred
    if (!Object.hasOwn(LOAD, name))
      throw new Problem(`${host}: there is no transport "${name}"`, {
        next: `Take one of ${TRANSPORTS.join(', ')}.`,
      })
    const transport = loaded.get(name) ?? LOAD[name](options)
    loaded.set(name, transport)
    return transport
  }
}

const LOAD: Readonly<Record<TransportName, (options: SshOptions) => Promise<Transport>>> = {
  ssh2: async (options) => (await import('../transport/ssh2/transport.ts')).sshTransport(options),
  openssh: async (options) => (await import('../transport/openssh/transport.ts')).opensshTransport(options),
  local: async () => (await import('../transport/local.ts')).localTransport(),
}

export const TRANSPORTS = Object.keys(LOAD)
