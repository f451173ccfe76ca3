import { createHash } from 'node:crypto'

/** A line of an authorized_keys file. */
export interface PublicKey {
  /** The options in front of the key, such as `restrict,command="backup"`. */
  readonly options: string
  readonly type: string
  /** The key in base64. Type and blob identify a key; the comment does not. */
  readonly blob: string
  readonly comment: string
}

const KEY =
  /^(?:(?<options>(?:[^\s"]|"(?:[^"\\]|\\.)*")+)\s+)?(?<type>(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]+)\s+(?<blob>[A-Za-z0-9+/]{16,}={0,2})(?:\s+(?<comment>.*?))?\s*$/

/** Parses a line; undefined for one without a key, such as a comment. */
export function publicKeyIn(line: string): PublicKey | undefined {
  const { options = '', type = '', blob = '', comment = '' } = KEY.exec(line.trim())?.groups ?? {}
  // The blob repeats the type, so a truncated or mixed-up key does not pass.
  const bytes = Buffer.from(blob, 'base64')
  if (blob === '' || bytes.length < 4) return undefined
  const inner = bytes.subarray(4, 4 + bytes.readUInt32BE(0)).toString()
  return inner === type ? { options, type, blob, comment } : undefined
}

export function isSameKey(a: PublicKey, b: PublicKey): boolean {
  return a.type === b.type && a.blob === b.blob
}

/** `SHA256:…`, as ssh-keygen and sshd print it. */
export function fingerprintOf({ blob }: PublicKey): string {
  const hash = createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64')
  return `SHA256:${hash.replace(/=+$/, '')}`
}

/** Names a key for a plan. */
export function describeKey(key: PublicKey): string {
  const { options, type, comment } = key
  return [options, type, fingerprintOf(key), comment].filter((part) => part !== '').join(' ')
}
