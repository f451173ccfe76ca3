import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { userInfo } from 'node:os'
import { quote } from '../../src/shell/quote.ts'
import { localConnection } from '../../src/transport/local.ts'
import type { Connection } from '../../src/transport/transport.ts'

/** This machine as a host for tests. */
export interface Machine {
  /** Whether it has a /run, a /var/lib and so a memory of its own; without one, nothing is tested that would write there. */
  readonly isPrivate: boolean
  /** To whom the files of its root belong. */
  readonly owner: string
  readonly link: () => Connection
  readonly close: () => Promise<void>
}

/**
 * A mount namespace of its own, in which we are root: for a normal user in a user namespace as well. Where neither can be had, this
 * machine as it is. The rest of the file system is shared, so tests can look at what was done.
 */
export async function testMachine(): Promise<Machine> {
  const keeper = localConnection()
  if (spawnSync('sh', ['-c', `${UNSHARE} mount -t tmpfs tmpfs /run`]).status !== 0)
    return {
      isPrivate: false,
      owner: userInfo().username,
      link: () => localConnection(),
      close: () => keeper.close(),
    }
  const wire = await keeper.start(`exec ${UNSHARE} sh`)
  wire.stdin.write(OWN)
  const [line] = await once(wire.stdout, 'data')
  const enter = `${ENTER} ${Number(String(line))}`
  return { isPrivate: true, owner: 'root', link: () => through(enter), close: () => keeper.close() }
}

function through(enter: string): Connection {
  const link = localConnection()
  return { ...link, start: (command) => link.start(`exec ${enter} sh -c ${quote(command)}`) }
}

const [UNSHARE, ENTER] =
  process.getuid?.() === 0
    ? ['unshare -m', 'nsenter -m -t']
    : ['unshare -rm', 'nsenter -U --preserve-credentials -m -t']

const OWN = `mount -t tmpfs -o mode=755 tmpfs /run; mount -t tmpfs -o mode=755 tmpfs /var/lib; echo $$\n`
