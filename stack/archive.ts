import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Problem } from 'provision-ts'

/** The options of `archive`. */
export interface ArchiveOptions {
  /** The SHA-256 of the archive, 64 hexadecimal digits. */
  readonly sha256: string
  /** The number of leading directories to remove from the names in the archive. @default 0 */
  readonly strip?: number
}

/**
 * The build of an application from a tar archive of a URL, also a compressed one. This machine fetches it once and keeps it in
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
  mkdirSync(cache, { recursive: true })
  const incoming = mkdtempSync(join(cache, 'incoming-'))
  try {
    await fetchInto({ url, strip, directory: incoming, sha256: sha256.toLowerCase() })
    // Another run may have been faster.
    if (!existsSync(directory)) renameSync(incoming, directory)
    return directory
  } finally {
    rmSync(incoming, { recursive: true, force: true })
  }
}

interface Fetched extends Required<ArchiveOptions> {
  readonly url: string
  readonly directory: string
}

async function fetchInto({ url, sha256, strip, directory }: Fetched): Promise<void> {
  const answer = await fetch(url).catch((cause: unknown) => {
    throw failed(url, reasonOf(cause), cause)
  })
  if (!answer.ok || !answer.body) throw failed(url, `the server answers ${answer.status} ${answer.statusText}`)
  // Loaded on demand: it takes 30 ms.
  const { extract }: typeof import('tar') = createRequire(import.meta.url)('tar')
  const hash = createHash('sha256')
  const body = answer.body
  const pieces = async function* () {
    for await (const piece of body) {
      hash.update(piece)
      yield piece
    }
  }
  await pipeline(Readable.from(pieces()), extract({ cwd: directory, strip, preservePaths: false })).catch(
    (cause: unknown) => {
      throw failed(url, reasonOf(cause), cause)
    },
  )
  const sum = hash.digest('hex')
  if (sum !== sha256) throw failed(url, `it has another content: its SHA-256 is ${sum}`)
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
