import { mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Download } from './download.ts'
import type { Ask } from './upstream.ts'

/** The answer of the cache: a file on disk, a running download, or an error. */
export type CacheAnswer = StoredFile | Download | HttpError

interface StoredFile {
  readonly path: string
  readonly modified: Date
  readonly length: number
}

interface HttpError {
  readonly status: number
  readonly why: string
}

interface AptCacheOptions {
  readonly directory: string
  /** The mirror's hosts. Requests to others are rejected. */
  readonly hosts: ReadonlySet<string>
  readonly ask: Ask
  /**
   * Milliseconds for which an index is not requested again: hosts that are brought up together request it together.
   * @default 60000
   */
  readonly freshFor?: number
}

/**
 * Files of a mirror, each downloaded once for concurrent requests. A package never changes under its name. An index does: it is requested
 * again, and the stored one is used if the mirror is not reachable.
 */
export class AptCache {
  readonly #directory: string
  readonly #hosts: ReadonlySet<string>
  readonly #ask: Ask
  readonly #freshFor: number
  readonly #underWay = new Map<string, Promise<CacheAnswer>>()
  readonly #checked = new Map<string, number>()

  constructor({ directory, hosts, ask, freshFor = 60_000 }: AptCacheOptions) {
    this.#directory = directory
    this.#hosts = hosts
    this.#ask = ask
    this.#freshFor = freshFor
  }

  async get(url: URL): Promise<CacheAnswer> {
    if (!this.#hosts.has(url.host)) {
      return { status: 403, why: `The lab has access to ${[...this.#hosts].join(', ')} only` }
    }
    const path = join(this.#directory, url.host, url.pathname) // `URL` has resolved all `..`
    return this.#underWay.get(path) ?? this.#begin(url, path)
  }

  #begin(url: URL, path: string): Promise<CacheAnswer> {
    const looking = this.#look(url, path)
    this.#underWay.set(path, looking)
    const over = () => this.#underWay.delete(path)
    looking.then((found) => (found instanceof Download ? found.done : undefined)).then(over, over)
    return looking
  }

  async #look(url: URL, path: string): Promise<CacheAnswer> {
    const have = await onDisk(path)
    if (have && (NEVER_CHANGES.test(url.pathname) || this.#isFresh(path))) return have
    try {
      return await this.#fetch(url, path, have)
    } catch (error) {
      return have ?? { status: 504, why: error instanceof Error ? error.message : String(error) }
    }
  }

  async #fetch(url: URL, path: string, have: StoredFile | undefined): Promise<CacheAnswer> {
    const response = await this.#ask(url, have?.modified)
    const status = response.statusCode ?? 502
    if (status === 200 || status === 304) this.#checked.set(path, Date.now())
    if (status === 200) {
      await mkdir(dirname(path), { recursive: true })
      return Download.begin(response, path)
    }
    response.resume()
    if (have && (status === 304 || status >= 500)) return have
    return { status, why: response.statusMessage ?? '' }
  }

  #isFresh(path: string): boolean {
    return Date.now() - (this.#checked.get(path) ?? 0) < this.#freshFor
  }
}

const NEVER_CHANGES = /\/pool\/|\/by-hash\//

async function onDisk(path: string): Promise<StoredFile | undefined> {
  const found = await stat(path).catch(() => undefined)
  return found?.isFile() ? { path, modified: found.mtime, length: found.size } : undefined
}
