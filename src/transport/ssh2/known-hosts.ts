import { createHmac, randomBytes } from 'node:crypto'
import { mkdir, open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errno, isErrno, Unreachable } from '../errors.ts'
import { matchesPatterns } from '../ssh/config.ts'
import { keyType } from '../ssh/encoding.ts'

/** A line of a known_hosts file for the host that was looked up. */
export interface KnownKey {
  /** `revoked`: never trusted. `cert-authority`: signs host keys, is not one itself. */
  readonly marker: 'revoked' | 'cert-authority' | undefined
  readonly type: string
  readonly key: Buffer
  readonly file: string
  readonly line: number
}

/** The known_hosts files of a run. Each is read once for all hosts. */
export class KnownHosts {
  readonly #files = new Map<string, Promise<KnownHostsFile>>()

  /** @throws Unreachable if an existing file cannot be read, because it may revoke a key */
  async find(paths: readonly string[], name: string): Promise<readonly KnownKey[]> {
    const files = await Promise.all(paths.map((path) => this.#file(path)))
    return files.flatMap((file) => file.find(name))
  }

  /** Appends the key, as OpenSSH does. An existing file keeps its mode; a new one is readable by its owner only. */
  async remember(path: string, entry: { name: string; key: Buffer; hash: boolean }): Promise<void> {
    const known = await this.#file(path)
    if (known.find(entry.name).some(({ key, marker }) => !marker && key.equals(entry.key))) return
    const line = knownHostsLine(entry)
    known.add(line)
    await append(path, line)
  }

  #file(path: string): Promise<KnownHostsFile> {
    const known = this.#files.get(path)
    if (known) return known
    const file = read(path).then((text) => new KnownHostsFile(path, text))
    this.#files.set(path, file)
    return file
  }
}

/** One known_hosts file; the format is described in sshd(8), SSH_KNOWN_HOSTS FILE FORMAT. */
export class KnownHostsFile {
  readonly path: string
  /** Lines by literal name: the usual case, which keeps large files fast. */
  readonly #named = new Map<string, Line[]>()
  /** Lines that have to be tried one by one: hashed names, wildcards, negations. */
  readonly #patterns: Line[] = []
  #lines = 0

  constructor(path: string, text: string) {
    this.path = path
    if (text !== '') for (const line of text.replace(/\n$/, '').split('\n')) this.add(line)
  }

  add(text: string): void {
    this.#lines += 1
    const line = parse(text, this.#lines)
    if (line === undefined) return
    if (/^\||[*?!]/.test(line.names)) {
      this.#patterns.push(line)
      return
    }
    for (const name of line.names.toLowerCase().split(',')) {
      const lines = this.#named.get(name)
      if (lines) lines.push(line)
      else this.#named.set(name, [line])
    }
  }

  /** @param name as returned by {@link knownHostsName} */
  find(name: string): readonly KnownKey[] {
    const named = this.#named.get(name) ?? []
    return [...named, ...this.#patterns.filter(({ names }) => matches(names, name))]
      .sort((a, b) => a.number - b.number)
      .flatMap(({ marker, key: text, number }) => {
        const key = Buffer.from(text, 'base64')
        const type = keyType(key)
        return type === undefined ? [] : [{ marker, type, key, file: this.path, line: number }]
      })
  }
}

/** A host's name in known_hosts. A port other than 22 is part of it. */
export function knownHostsName(host: string, port = 22): string {
  const name = host.toLowerCase()
  return port === 22 ? name : `[${name}]:${port}`
}

function knownHostsLine({ name, key, hash }: { name: string; key: Buffer; hash: boolean }): string {
  return `${hash ? hashed(name, randomBytes(20)) : name} ${keyType(key)} ${key.toString('base64')}`
}

interface Line {
  readonly marker: KnownKey['marker']
  readonly names: string
  readonly key: string
  readonly number: number
}

function parse(text: string, number: number): Line | undefined {
  const words = text.trim().split(/[ \t]+/)
  const marker = words[0]?.startsWith('@') ? words.shift() : undefined
  const [names, type, key] = words
  // OpenSSH also skips lines that it cannot read: comments, and SSH 1 keys, which were numbers.
  if (!names || names.startsWith('#') || !type || !key || /^\d+$/.test(type)) return undefined
  if (marker === undefined) return { marker, names, key, number }
  if (marker === '@revoked') return { marker: 'revoked', names, key, number }
  if (marker === '@cert-authority') return { marker: 'cert-authority', names, key, number }
  return undefined
}

function matches(names: string, name: string): boolean {
  if (!names.startsWith('|')) return matchesPatterns(names, name)
  const [, version, salt] = names.split('|')
  return version === '1' && salt !== undefined && hashed(name, Buffer.from(salt, 'base64')) === names
}

function hashed(name: string, salt: Buffer): string {
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return ''
    throw new Unreachable(`${path} cannot be read (${errno(error)})`, {
      reason: 'settings',
      next: 'It may revoke keys, so no host is trusted until it is readable.',
      cause: error,
    })
  }
}

/** Appends with one write, so that a concurrent append of another program cannot split the line. */
async function append(path: string, line: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const file = await open(path, 'a+', 0o600)
  try {
    const { size } = await file.stat()
    const last = size === 0 ? '\n' : (await file.read(Buffer.alloc(1), 0, 1, size - 1)).buffer.toString()
    await file.write(`${last === '\n' ? '' : '\n'}${line}\n`)
  } finally {
    await file.close()
  }
}
