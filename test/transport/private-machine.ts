import { once } from 'node:events'
import { quote } from '../../src/shell/sh.ts'
import { localConnection } from '../../src/transport/local.ts'
import type { Connection } from '../../src/transport/transport.ts'

/** This machine with its own /etc and /run, so that users, sudoers and locks of a test do not affect it. */
export interface PrivateMachine {
  /** A connection of this user, with an empty environment as from sshd. */
  as(user: string): Connection
  /** The start of a command that runs inside it. */
  readonly enter: string
  close(): Promise<void>
}

/** Needs root: see `canBePrivate`. @param setup shell text that runs inside it */
export async function privateMachine(setup = ':'): Promise<PrivateMachine> {
  const connection = localConnection()
  const remote = await connection.start('exec unshare -m sh')
  let said = ''
  remote.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  remote.stdin.write(`${COPY}\n${setup}\necho $$\n`)
  const [line] = await Promise.race([once(remote.stdout, 'data'), remote.exit.then(() => [''])])
  const pid = Number(String(line))
  if (!pid) throw new Error(`no private machine: ${said}`)
  return {
    enter: `nsenter -m -t ${pid}`,
    as(user) {
      const enter = `exec nsenter -m -t ${pid} setpriv --reuid ${user} --regid ${user} --init-groups`
      const local = localConnection()
      return {
        ...local,
        start: (command) => local.start(`${enter} env -i PATH=/usr/bin:/bin HOME=/ sh -c ${quote(command)}`),
      }
    },
    close: () => connection.close(),
  }
}

export function canBePrivate(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0
}

const COPY = `set -e
mount -t tmpfs -o mode=755 tmpfs /run
cp -a /etc /run/etc
mount --bind /run/etc /etc
[ ! -d /var/lib/sudo ] || mount -t tmpfs tmpfs /var/lib/sudo`
