import { readFile, stat } from 'node:fs/promises'
import { createConnection } from 'node:net'
import type { ParsedKey } from 'ssh2'
import type { Secret } from '../../shell/secret.ts'
import type { Clock } from '../clock.ts'
import { errno, isErrno } from '../errors.ts'
import { SshReader } from '../ssh/encoding.ts'
import { parseKey } from './ssh2.ts'

/** Asks the user for the passphrase of a key file; undefined to skip the key. `attempt` counts from 1. */
export type AskPassphrase = (question: { file: string; attempt: number }) => Promise<Secret | undefined>

/** A private key on disk. */
export interface KeyFile {
  readonly path: string
  readonly encrypted: boolean
  /** Known without the passphrase for keys in OpenSSH's format, or if there is a `.pub` file. */
  readonly publicKey: Buffer | undefined
  /** The key, or the reason why it cannot be used. */
  open(): Promise<ParsedKey | string>
}

/** The key files of a run. Each is read once, and its passphrase is asked for once for all hosts. */
export class KeyFiles {
  readonly #ask: AskPassphrase | undefined
  readonly #files = new Map<string, Promise<KeyFile | string | undefined>>()

  constructor(ask?: AskPassphrase) {
    this.#ask = ask
  }

  /** The file, the reason why it cannot be used, or undefined if it does not exist. */
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
    publicKey: publicPart(text) ?? (await publicFile(path)),
    open: () => {
      opened ??= unlock({ path, text, ask })
      return opened
    },
  }
}

/** The text of the file, or the reason after a `!`. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    const { mode, uid } = await stat(path)
    // As OpenSSH, ignores a key of the user that others can read.
    if (uid === process.getuid?.() && (mode & 0o077) !== 0)
      return `!its mode ${(mode & 0o777).toString(8).padStart(4, '0')} allows others to read it: chmod 600 ${path}`
    return await readFile(path, 'utf8')
  } catch (error) {
    return isErrno(error, 'ENOENT', 'ENOTDIR') ? undefined : `!cannot be read (${errno(error) ?? String(error)})`
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
  if (!ask) return 'needs a passphrase, and there is no terminal to ask for it; add it to an agent with ssh-add'
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const passphrase = await ask({ file: path, attempt })
    if (passphrase === undefined) return 'needs a passphrase, which was not given'
    const key = parsed(text, passphrase.reveal())
    if (typeof key !== 'string') return key
  }
  return 'the passphrase was wrong'
}

/** OpenSSH's format has the public key unencrypted before the private one. */
function publicPart(text: string): Buffer | undefined {
  const [, body] = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+)-----END/.exec(text) ?? []
  if (body === undefined) return undefined
  const reader = new SshReader(Buffer.from(body, 'base64'), 'openssh-key-v1\0'.length)
  for (const _ of ['cipher', 'kdf', 'kdf options']) reader.string()
  return reader.number() > 0 ? reader.string() : undefined
}

async function publicFile(path: string): Promise<Buffer | undefined> {
  const text = await readFile(`${path}.pub`, 'utf8').catch(() => '')
  const [, key] = text.split(/\s+/)
  return key === undefined ? undefined : Buffer.from(key, 'base64')
}

export interface AgentKey {
  readonly key: Buffer
  readonly comment: string
}

/**
 * The keys of an agent, in its order. Requested without ssh2, which silently skips keys that it cannot use: certificates and security
 * keys.
 *
 * @throws Error if the agent does not answer
 */
export async function agentKeys(socket: string, clock: Clock): Promise<readonly AgentKey[]> {
  const answer = await requestIdentities(socket, clock)
  if (answer[0] !== IDENTITIES_ANSWER) throw new Error('the agent refused to list its keys')
  const reader = new SshReader(answer, 1)
  return Array.from({ length: reader.number() }, () => ({ key: reader.string(), comment: reader.string().toString() }))
}

// draft-ietf-sshm-ssh-agent, section 6.1
const REQUEST_IDENTITIES = 11
const IDENTITIES_ANSWER = 12
/** Milliseconds. */
const AGENT_TIMEOUT = 5_000

function requestIdentities(path: string, clock: Clock): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path)
    let answer = Buffer.alloc(0)
    const fail = (error: Error) => {
      limit.end()
      socket.destroy()
      reject(error)
    }
    const limit = clock.limit({
      ms: AGENT_TIMEOUT,
      progress: () => socket.bytesRead,
      expire: () => fail(new Error('the agent does not answer')),
    })
    socket.on('error', fail)
    socket.on('close', () => fail(new Error('the agent closed the connection')))
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk])
      if (answer.length < 4 || answer.length < 4 + answer.readUInt32BE(0)) return
      resolve(answer.subarray(4, 4 + answer.readUInt32BE(0)))
      socket.destroy()
    })
    socket.write(Buffer.from([0, 0, 0, 1, REQUEST_IDENTITIES]))
  })
}
