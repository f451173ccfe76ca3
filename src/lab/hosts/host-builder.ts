import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, chown, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { labPaths } from '../base/paths.ts'
import { run } from '../base/run.ts'
import { labSecret } from '../base/secrets.ts'
import { DEPLOY, OPERATOR } from '../image/base-contents.ts'
import { makeDisk, mountRoot } from './disk.ts'
import type { Guest } from './guest.ts'

interface MadeHost {
  readonly publicKey: string
  readonly hostKey: string
}

/** Prepares hosts for their boot: their disks, with the lab's key and password. */
export class HostBuilder {
  readonly #base: string
  readonly #authorizedKey: string
  readonly #operatorHash: string

  static async forLab(lab: string, base: string): Promise<HostBuilder> {
    const { key } = labPaths(lab)
    await keyPair(key, `provision lab ${lab}`)
    const input = labSecret(lab, OPERATOR)
    const hash = await run('chroot', [base, 'openssl', 'passwd', '-6', '-stdin'], { input })
    return new HostBuilder(base, await publicKey(key), hash.trim())
  }

  private constructor(base: string, authorizedKey: string, operatorHash: string) {
    this.#base = base
    this.#authorizedKey = authorizedKey
    this.#operatorHash = operatorHash
  }

  async make({ name, paths }: Guest): Promise<MadeHost> {
    const hostKey = join(paths.directory, 'ssh_host_key')
    await keyPair(hostKey, `root@${name}`)
    await makeDisk(paths, (upper) =>
      writeHostFiles(upper, {
        name,
        hostKey,
        authorizedKey: this.#authorizedKey,
        operatorHash: this.#operatorHash,
        base: this.#base,
      }),
    )
    await mountRoot(paths, this.#base)
    const key = await publicKey(hostKey)
    return { publicKey: key, hostKey: keyFingerprint(key) }
  }
}

interface HostIdentity {
  readonly name: string
  /** The file of its sshd's private key; the public key is in `.pub`. */
  readonly hostKey: string
  /** The public key of its users. */
  readonly authorizedKey: string
  /** The hash of the operator's password. */
  readonly operatorHash: string
  readonly base: string
}

/** Writes the files that are specific to a host into the upper layer of its root. */
async function writeHostFiles(upper: string, identity: HostIdentity): Promise<void> {
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
  await put('etc/shadow', shadow.replace(new RegExp(`^${OPERATOR}:[^:]*`, 'm'), `${OPERATOR}:${operatorHash}`), 0o640)
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

/** The ids of a user in `passwd`, or of a group in `group`, which has one only. */
async function ids(base: string, file: 'passwd' | 'group', name: string): Promise<{ uid: number; gid: number }> {
  const line = (await readFile(join(base, 'etc', file), 'utf8')).split('\n').find((one) => one.startsWith(`${name}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  if (!uid) throw new Error(`the base image has no ${name} in /etc/${file}`)
  return { uid: Number(uid), gid: Number(gid) }
}

/** Creates the key pair `path` and `path.pub`, unless it exists. */
export async function keyPair(path: string, comment: string): Promise<void> {
  if (existsSync(`${path}.pub`)) return
  await mkdir(dirname(path), { recursive: true })
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', path], { input: 'y\n' })
}

/** The public key as in ssh's files: `ssh-ed25519 AAAA…`, without the comment. */
export async function publicKey(path: string): Promise<string> {
  const [type, blob] = (await readFile(`${path}.pub`, 'utf8')).split(' ')
  return `${type} ${blob}`
}

/** `SHA256:` and 43 characters, as ssh prints it. */
function keyFingerprint(key: string): string {
  const [, blob = ''] = key.split(' ')
  const digest = createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64')
  return `SHA256:${digest.replace(/=+$/, '')}`
}
