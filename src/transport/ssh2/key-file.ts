import { readFile, stat } from 'node:fs/promises'
import type { ParsedKey } from 'ssh2'
import type { Secret } from '../../shell/secret.ts'
import { errno, isErrno } from '../errors.ts'
import { SshReader } from '../ssh/encoding.ts'
import { parseKey } from './ssh2.ts'

/** Asks a person for the passphrase of a key file; nothing to give up. `attempt` counts from 1. */
export type AskPassphrase = (question: { file: string; attempt: number }) => Promise<Secret | undefined>

/** A private key on disk. */
export interface KeyFile {
  readonly path: string
  readonly encrypted: boolean
  /** Known without the passphrase for keys of OpenSSH's own format, and where a `.pub` lies beside. */
  readonly publicKey: Buffer | undefined
  /** The key, or why it cannot be had, in words. */
  open(): Promise<ParsedKey | string>
}

/** The key files of a run. Each is read once, and a person is asked for its passphrase once, however many hosts want it. */
export class KeyFiles {
  readonly #ask: AskPassphrase | undefined
  readonly #files = new Map<string, Promise<KeyFile | string | undefined>>()

  constructor(ask?: AskPassphrase) {
    this.#ask = ask
  }

  /** The file; nothing when there is none; words when it cannot be used. */
  read(path: string): Promise<KeyFile | string | undefined> {
    const known = this.#files.get(path)
    if (known) return known
    const file = readKey(path, this.#ask)
    this.#files.set(path, file)
    return file
  }
}

async function readKey(path: string, ask: AskPassphrase | undefined): Promise<KeyFile | string | undefined> {
  const text = await textOf(path)
  if (text === undefined || text.startsWith('!')) return text?.slice(1)
  const key = parsed(text)
  if (typeof key !== 'string') {
    if (!key.isPrivateKey()) return 'holds a public key; name the private one'
    return { path, encrypted: false, publicKey: key.getPublicSSH(), open: async () => key }
  }
  if (!/encrypted/i.test(key)) return key
  let opened: Promise<ParsedKey | string> | undefined
  return {
    path,
    encrypted: true,
    publicKey: publicPart(text) ?? (await publicBeside(path)),
    open: () => {
      opened ??= unlock({ path, text, ask })
      return opened
    },
  }
}

/** The text of the file, or words after a `!`. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    const { mode, uid } = await stat(path)
    // OpenSSH's rule: the owner's key must be for the owner alone, and is not used otherwise.
    if (uid === process.getuid?.() && (mode & 0o077) !== 0)
      return `!its mode ${(mode & 0o777).toString(8).padStart(4, '0')} lets others read it: chmod 600 ${path}`
    return await readFile(path, 'utf8')
  } catch (error) {
    return isErrno(error, 'ENOENT', 'ENOTDIR')
      ? undefined
      : `!cannot be read (${errno(error) ?? String(error)})`
  }
}

function parsed(text: string, passphrase?: string): ParsedKey | string {
  const key: ParsedKey | ParsedKey[] | Error = parseKey(text, passphrase)
  if (key instanceof Error) return key.message
  const first = Array.isArray(key) ? key[0] : key
  return first ?? 'holds no key'
}

const ATTEMPTS = 3

async function unlock(parts: { path: string; text: string; ask: AskPassphrase | undefined }) {
  const { path, text, ask } = parts
  if (!ask) return 'needs a passphrase, and there is nobody to ask; ssh-add it to an agent'
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const passphrase = await ask({ file: path, attempt })
    if (passphrase === undefined) return 'needs a passphrase, and none was given'
    const key = parsed(text, passphrase.reveal())
    if (typeof key !== 'string') return key
  }
  return 'the passphrase was wrong'
}

/** OpenSSH's own format has the public key in the clear, before the private one. */
function publicPart(text: string): Buffer | undefined {
  const [, body] = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+)-----END/.exec(text) ?? []
  if (body === undefined) return undefined
  const reader = new SshReader(Buffer.from(body, 'base64'), 'openssh-key-v1\0'.length)
  for (const _ of ['cipher', 'kdf', 'kdf options']) reader.string()
  return reader.number() > 0 ? reader.string() : undefined
}

async function publicBeside(path: string): Promise<Buffer | undefined> {
  const text = await readFile(`${path}.pub`, 'utf8').catch(() => '')
  const [, key] = text.split(/\s+/)
  return key === undefined ? undefined : Buffer.from(key, 'base64')
}
