import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir, userInfo } from 'node:os'
import { quote } from '../../src/shell/sh.ts'
import { localConnection } from '../../src/transport/local.ts'
import type { Connection } from '../../src/transport/transport.ts'

/** This machine as a host for tests. */
export interface Machine {
  /** False if this machine has no namespaces; tests that would change it are then skipped. */
  readonly isPrivate: boolean
  /** True for root, who may change owners, users and packages. */
  readonly isRoot: boolean
  /** The owner of files in its root directory. */
  readonly owner: string
  readonly connection: () => Connection
  readonly close: () => Promise<void>
}

export interface MachineOptions {
  /** Gives the machine its own network and network settings. @default false */
  readonly network?: boolean
}

/**
 * A private view of this machine that confines all writes of a test. For root it is an overlay of the whole file system with an
 * empty /run and /var/lib/provision, a read-only /proc/sys and /sys, and its own host name; with `network`, its own network and
 * settings. For other users, who cannot write elsewhere, it has an empty /run and /var/lib. The directory for temporary files is shared,
 * so that tests see the results.
 */
export async function testMachine({ network = false }: MachineOptions = {}): Promise<Machine> {
  const isRoot = process.getuid?.() === 0
  const flags = `${isRoot ? '-mu' : '-rm'}${network ? 'n' : ''}`
  const unshare = `unshare ${flags} sh -c ${quote(isRoot ? OVERLAY : TMPFS)} sh ${quote(tmpdir())} ${network ? 'net' : ''}`
  if (spawnSync('sh', ['-c', `${unshare} </dev/null`]).status !== 0)
    return {
      ...{ isPrivate: false, isRoot, owner: userInfo().username },
      connection: () => localConnection(),
      close: () => Promise.resolve(),
    }
  const keeper = localConnection()
  const keeping = await keeper.start(`exec ${unshare}`)
  const [line] = await once(keeping.stdout, 'data')
  const join = isRoot ? '-m -u -r -w' : '-U --preserve-credentials -m'
  const enter = `nsenter ${join}${network ? ' -n' : ''} -t ${Number(String(line))}`
  return {
    ...{ isPrivate: true, isRoot, owner: 'root' },
    connection: () => through(enter),
    close: () => keeper.close(),
  }
}

function through(enter: string): Connection {
  const connection = localConnection()
  return { ...connection, start: (command) => connection.start(`exec ${enter} sh -c ${quote(command)}`) }
}

/** `sh TMPDIR [net]`; prints its process id and keeps the namespaces until its input ends. */
const OVERLAY = `set -e
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root
cd /mnt/root
for shared in /proc /sys /dev "$1"; do
  mkdir -p ".$shared"
  mount --rbind "$shared" ".$shared"
done
mount -t tmpfs -o mode=755 tmpfs ./run
mkdir -p ./var/lib/provision
mount -t tmpfs -o mode=755 tmpfs ./var/lib/provision
for kernel in ./sys ./proc/sys; do
  mount --bind $kernel $kernel
  mount -o remount,bind,ro $kernel
done
[ -z "$2" ] || mount --bind /proc/sys/net ./proc/sys/net
exec chroot . sh -c 'echo $$; exec cat'`

const TMPFS = `set -e
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/lib
echo $$
exec cat`
