import { join } from 'node:path'
import { OPERATOR } from '../image/base-contents.ts'
import { labPaths } from '../paths.ts'
import { run } from '../run.ts'
import { labSecret } from '../secrets.ts'
import { makeDisk, mountRoot } from './disk.ts'
import type { Guest } from './guest.ts'
import { writeHostFiles } from './host-files.ts'
import { keyFingerprint, keyPair, publicKey } from './keys.ts'

export interface MadeHost {
  readonly publicKey: string
  readonly hostKey: string
}

/** Makes hosts ready to boot: their disks, with the lab's key and password on them. */
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
