import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Problem } from 'provision-ts'

/** The options of `archive`. */
export interface ArchiveOptions {
  /** The SHA-256 of the archive, 64 hexadecimal digits. */
  readonly sha256: string
  /** The number of leading directories to remove from the names in the archive. @default 0 */
  readonly strip?: number
}

/**
 * The build of an application from a tar archive of a URL, also one that gzip has compressed. This machine fetches it once and keeps it in
 * `$XDG_CACHE_HOME/provision/builds` (`~/.cache` by default).
 *
 * @returns the folder with its contents
 * @throws Problem if it cannot be fetched or unpacked, or has another checksum
 * @example
 * import { archive } from 'provision-ts/stack'
 *
 * const directory = await archive('https://builds.example.com/shop-1.4.0.tar.gz', {
 *   sha256: '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae',
 *   strip: 1,
 * })
 */
export async function archive(url: string, { sha256, strip = 0 }: ArchiveOptions): Promise<string> {
  if (!/^[0-9a-f]{64}$/i.test(sha256))
    throw new Problem(`The checksum of ${url} is not a SHA-256`, { next: 'Write its 64 hexadecimal digits.' })
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'provision/builds')
  const directory = join(cache, `${sha256.toLowerCase()}-${strip}`)
  if (existsSync(directory)) return directory
  const content = await fetched(url)
  const sum = createHash('sha256').update(content).digest('hex')
  if (sum !== sha256.toLowerCase()) throw failed(url, `it has another content: its SHA-256 is ${sum}`)
  mkdirSync(cache, { recursive: true })
  const incoming = mkdtempSync(join(cache, 'incoming-'))
  try {
    unpack(content, { url, strip, directory: incoming })
    // Another run may have been faster.
    if (!existsSync(directory)) renameSync(incoming, directory)
    return directory
  } finally {
    rmSync(incoming, { recursive: true, force: true })
  }
}

async function fetched(url: string): Promise<Buffer> {
  const rejected = (cause: unknown) => {
    throw failed(url, reasonOf(cause), cause)
  }
  const answer = await fetch(url).catch(rejected)
  if (!answer.ok) throw failed(url, `the server answers ${answer.status} ${answer.statusText}`)
  return Buffer.from(await answer.arrayBuffer().catch(rejected))
}

interface Target {
  readonly url: string
  readonly strip: number
  readonly directory: string
}

function unpack(content: Buffer, { url, strip, directory }: Target): void {
  // Loaded on demand: it takes 30 ms.
  const { extract }: typeof import('tar') = createRequire(import.meta.url)('tar')
  try {
    extract({ cwd: directory, strip, sync: true }).end(content)
  } catch (cause) {
    throw failed(url, reasonOf(cause), cause)
  }
}

function failed(url: string, why: string, cause?: unknown): Problem {
  return new Problem(`This machine cannot fetch the build ${url}: ${why}`, {
    next: 'Correct the URL or the checksum. Nothing was changed on any host.',
    cause,
  })
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  return cause instanceof Error ? cause.message : String(cause)
}
