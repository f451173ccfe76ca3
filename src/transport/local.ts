import { userInfo } from 'node:os'
import { type ChildParts, child } from './child.ts'
import type { Link, Transport, Wire } from './wire.ts'

/** This machine itself in place of the host, whatever its address. Commands start with the environment of a login, not with ours. */
export function localTransport(): Transport {
  return {
    async connect() {
      const { username, homedir } = userInfo()
      const login = {
        USER: username,
        LOGNAME: username,
        HOME: homedir,
        SHELL: '/bin/sh',
        PATH: '/usr/bin:/bin',
      }
      return localLink({ env: login })
    },
  }
}

/** This machine as a host. */
export function localLink(more: Pick<ChildParts, 'env'> = {}): Link {
  const running = new Set<Wire>()
  const traffic = { sent: 0, received: 0 }
  return {
    traffic,
    async start(command) {
      const wire = await child({ program: '/bin/sh', words: ['-c', command], cwd: '/', ...more })
      running.add(wire)
      void wire.ended.then(() => running.delete(wire))
      return wire
    },
    async close() {
      const wires = [...running]
      for (const wire of wires) wire.destroy()
      await Promise.all(wires.map(({ ended }) => ended))
    },
  }
}
