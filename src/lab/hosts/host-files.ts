import { randomBytes } from 'node:crypto'
import { chmod, chown, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DEPLOY, OPERATOR } from '../image/base-contents.ts'

export interface HostIdentity {
  readonly name: string
  /** Private and public half of its sshd's key, as files. */
  readonly hostKey: string
  /** The public key that its users log in with. */
  readonly authorizedKey: string
  /** The operator's password as `crypt` has it. */
  readonly operatorHash: string
  readonly base: string
}

/** Writes what tells one host from another into the upper layer of its root. */
export async function writeHostFiles(upper: string, identity: HostIdentity): Promise<void> {
  const { name, hostKey, authorizedKey, operatorHash, base } = identity
  const put = async (path: string, content: string, mode = 0o644) => {
    await mkdir(join(upper, dirname(path)), { recursive: true, mode: 0o755 })
    await writeFile(join(upper, path), content, { mode })
  }
  await put('etc/hostname', `${name}\n`)
  await put('etc/hosts', `127.0.0.1 localhost\n127.0.1.1 ${name}\n::1 localhost ip6-localhost ip6-loopback\n`)
  await put('etc/machine-id', `${randomBytes(16).toString('hex')}\n`, 0o444)

  await mkdir(join(upper, 'etc/ssh'))
  await copyFile(hostKey, join(upper, 'etc/ssh/ssh_host_ed25519_key'))
  await copyFile(`${hostKey}.pub`, join(upper, 'etc/ssh/ssh_host_ed25519_key.pub'))

  const shadow = await readFile(join(base, 'etc/shadow'), 'utf8')
  await put(
    'etc/shadow',
    shadow.replace(new RegExp(`^${OPERATOR}:[^:]*`, 'm'), `${OPERATOR}:${operatorHash}`),
    0o640,
  )
  await chown(join(upper, 'etc/shadow'), 0, (await ids(base, 'group', 'shadow')).uid)

  for (const user of [DEPLOY, OPERATOR]) {
    const { uid, gid } = await ids(base, 'passwd', user)
    await put(`home/${user}/.ssh/authorized_keys`, `${authorizedKey}\n`, 0o600)
    for (const path of [`home/${user}`, `home/${user}/.ssh`, `home/${user}/.ssh/authorized_keys`]) {
      await chown(join(upper, path), uid, gid)
    }
    await chmod(join(upper, `home/${user}`), 0o700)
    await chmod(join(upper, `home/${user}/.ssh`), 0o700)
  }
}

/** The numbers of a user in `passwd`, or of a group in `group`, which has one only. */
async function ids(
  base: string,
  file: 'passwd' | 'group',
  name: string,
): Promise<{ uid: number; gid: number }> {
  const line = (await readFile(join(base, 'etc', file), 'utf8'))
    .split('\n')
    .find((one) => one.startsWith(`${name}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  if (!uid) throw new Error(`the base image has no ${name} in /etc/${file}`)
  return { uid: Number(uid), gid: Number(gid) }
}
