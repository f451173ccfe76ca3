import { mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Download } from './download.ts'
import type { Ask } from './upstream.ts'

/** What the cache has for a request: a file on disk, one on its way, or the reason why not. */
export type Found = StoredFile | Download | Refusal

export interface StoredFile {
  readonly path: string
  readonly modified: Date
  readonly length: number
}

export interface Refusal {
  readonly status: number
  readonly why: string
}

export interface AptCacheOptions {
  readonly directory: string
  /** The mirror's hosts. What is asked of any other is refused. */
  readonly hosts: ReadonlySet<string>
  readonly ask: Ask
  /**
   * For how long an index is not asked for again, in milliseconds: hosts that are brought up together ask together.
   * @default 60000
   */
  readonly freshFor?: number
}

/**
 * Files of a mirror, each downloaded once however many ask for it at once. A package never changes under its name. An
 * index does: it is asked for again, and the one on disk serves when the mirror cannot be reached.
 */
export class AptCache {
  readonly #directory: string
  readonly #hosts: ReadonlySet<string>
  readonly #ask: Ask
  readonly #freshFor: number
  readonly #underWay = new Map<string, Promise<Found>>()
  readonly #checked = new Map<string, number>()

  constructor({ directory, hosts, ask, freshFor = 60_000 }: AptCacheOptions) {
    this.#directory = directory
    this.#hosts = hosts
    this.#ask = ask
    this.#freshFor = freshFor
  }

  async get(url: URL): Promise<Found> {
    if (!this.#hosts.has(url.host)) {
      return { status: 403, why: `The lab has a way to ${[...this.#hosts].join(', ')} only` }
    }
    const path = join(this.#directory, url.host, url.pathname) // `URL` has resolved every `..`
    return this.#underWay.get(path) ?? this.#begin(url, path)
  }

  #begin(url: URL, path: string): Promise<Found> {
    const looking = this.#look(url, path)
    this.#underWay.set(path, looking)
    const over = () => this.#underWay.delete(path)
    looking.then((found) => (found instanceof Download ? found.done : undefined)).then(over, over)
    return looking
  }

  async #look(url: URL, path: string): Promise<Found> {
    const have = await onDisk(path)
    if (have && (NEVER_CHANGES.test(url.pathname) || this.#isFresh(path))) return have
    try {
      return await this.#fetch(url, path, have)
    } catch (error) {
      return have ?? { status: 504, why: error instanceof Error ? error.message : String(error) }
    }
  }

  async #fetch(url: URL, path: string, have: StoredFile | undefined): Promise<Found> {
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
