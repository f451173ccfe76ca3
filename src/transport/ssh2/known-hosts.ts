import { createHmac, randomBytes } from 'node:crypto'
import { keyType } from '../ssh/encoding.ts'

/** A line of a known_hosts file that speaks of the host asked for. */
export interface KnownKey {
  /** `revoked`: never to be trusted. `cert-authority`: signs the keys of hosts, is not one itself. */
  readonly marker: 'revoked' | 'cert-authority' | undefined
  readonly type: string
  readonly key: Buffer
  readonly file: string
  readonly line: number
}

/** One known_hosts file, read as sshd(8) describes it under SSH_KNOWN_HOSTS FILE FORMAT. */
export class KnownHostsFile {
  readonly path: string
  /** Lines by a name that they spell out: the usual case, and the reason why large files cost nothing. */
  readonly #named = new Map<string, Line[]>()
  /** Lines that must be tried one by one: hashed names, wildcards, negations. */
  readonly #puzzles: Line[] = []
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
      this.#puzzles.push(line)
      return
    }
    for (const name of line.names.toLowerCase().split(',')) {
      const lines = this.#named.get(name)
      if (lines) lines.push(line)
      else this.#named.set(name, [line])
    }
  }

  /** @param name as {@link knownHostsName} gives it. */
  find(name: string): readonly KnownKey[] {
    const plain = this.#named.get(name) ?? []
    return [...plain, ...this.#puzzles.filter(({ names }) => speaksOf(names, name))]
      .sort((a, b) => a.number - b.number)
      .flatMap(({ marker, key: text, number }) => {
        const key = Buffer.from(text, 'base64')
        const type = keyType(key)
        return type === undefined ? [] : [{ marker, type, key, file: this.path, line: number }]
      })
  }
}

/** The name that a host has in known_hosts: other ports than 22 are part of it. */
export function knownHostsName(host: string, port = 22): string {
  const name = host.toLowerCase()
  return port === 22 ? name : `[${name}]:${port}`
}

/** A line for known_hosts, without its end. */
export function knownHostsLine({ name, key, hash }: { name: string; key: Buffer; hash: boolean }): string {
  return `${hash ? hashed(name, randomBytes(20)) : name} ${keyType(key)} ${key.toString('base64')}`
}

/** Whether a pattern list of OpenSSH (`*.example.com,!db?.example.com`) matchesPatterns the name. One that is negated outweighs all others. */
export function matchesPatterns(patterns: string, name: string): boolean {
  let covered = false
  for (const pattern of patterns.toLowerCase().split(',')) {
    const negated = pattern.startsWith('!')
    if (!wildcard(negated ? pattern.slice(1) : pattern).test(name)) continue
    if (negated) return false
    covered = true
  }
  return covered
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
  // OpenSSH passes over lines it cannot read, too: comments, and keys of SSH 1, which were numbers.
  if (!names || names.startsWith('#') || !type || !key || /^\d+$/.test(type)) return undefined
  if (marker === undefined) return { marker, names, key, number }
  if (marker === '@revoked') return { marker: 'revoked', names, key, number }
  if (marker === '@cert-authority') return { marker: 'cert-authority', names, key, number }
  return undefined
}

function speaksOf(names: string, name: string): boolean {
  if (!names.startsWith('|')) return matchesPatterns(names, name)
  const [, version, salt] = names.split('|')
  return version === '1' && salt !== undefined && hashed(name, Buffer.from(salt, 'base64')) === names
}

function hashed(name: string, salt: Buffer): string {
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
}

function wildcard(pattern: string): RegExp {
  const source = pattern.replace(/[\\^$.+()[\]{}|]/g, '\\$&')
  return new RegExp(`^${source.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's')
}
