import { createHash } from 'node:crypto'

/** Reads values of the SSH wire format: a length in four bytes, then that many bytes (RFC 4251, section 5). */
export class SshReader {
  readonly #bytes: Buffer
  #at: number

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes
    this.#at = at
  }

  number(): number {
    const value = this.#bytes.readUInt32BE(this.#at)
    this.#at += 4
    return value
  }

  /** @throws RangeError if the bytes end too early */
  string(): Buffer {
    const length = this.number()
    const end = this.#at + length
    if (end > this.#bytes.length) throw new RangeError('a string is longer than the data')
    const value = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return value
  }
}

/** The type of a public key, such as `ssh-ed25519`; undefined for bytes that are not a key. */
export function keyType(key: Buffer): string | undefined {
  try {
    const type = new SshReader(key).string().toString('latin1')
    return /^[a-z0-9@.-]{1,64}$/i.test(type) ? type : undefined
  } catch {
    return undefined
  }
}

/** `SHA256:…`, as OpenSSH prints it. */
export function fingerprint(key: Buffer): string {
  return 'SHA256:' + createHash('sha256').update(key).digest('base64').replace(/=+$/, '')
}

/** The name of a key type in OpenSSH's messages: `ED25519` for `ssh-ed25519`. */
export function keyTypeName(type: string): string {
  if (type === 'ssh-rsa') return 'RSA'
  if (type.startsWith('ecdsa-')) return 'ECDSA'
  return type.replace(/^ssh-/, '').replace(/@.*/, '').toUpperCase()
}
