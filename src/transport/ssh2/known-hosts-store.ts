import { mkdir, open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errno, isErrno, Unreachable } from '../errors.ts'
import { KnownHostsFile, type KnownKey, knownHostsLine } from './known-hosts.ts'

/** The known_hosts files of this run. Each is read once, however many hosts there are. */
export class KnownHosts {
  readonly #files = new Map<string, Promise<KnownHostsFile>>()

  /** @throws Unreachable when a file is there and cannot be read: an unread `@revoked` must not let anybody in. */
  async find(paths: readonly string[], name: string): Promise<readonly KnownKey[]> {
    const files = await Promise.all(paths.map((path) => this.#file(path)))
    return files.flatMap((file) => file.find(name))
  }

  /** Appends the key as OpenSSH does. A file that is there keeps its mode; a new one is for its owner's eyes. */
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

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return ''
    throw new Unreachable(`${path} cannot be read (${errno(error)})`, {
      reason: 'settings',
      next: 'It may revoke keys, so no host is trusted until it can be read.',
      cause: error,
    })
  }
}

/** One write to a file opened for appending: another program that appends at the same time cannot tear the line. */
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
