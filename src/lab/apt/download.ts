import { existsSync } from 'node:fs'
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { basename, dirname, join } from 'node:path'

/** A running download into the cache, which any number of hosts may read meanwhile. */
export class Download {
  readonly length: number | undefined
  readonly modified: Date | undefined
  /** Resolves when the file is complete and renamed, or when the download has failed. */
  readonly done: Promise<void>
  readonly #path: string
  readonly #part: string
  #written = 0
  #end: 'complete' | Error | undefined
  #waiting: (() => void)[] = []

  static async begin(body: IncomingMessage, path: string): Promise<Download> {
    await sweep(path)
    const part = `${path}.${process.pid}.part`
    return new Download(body, path, part, await open(part, 'w'))
  }

  private constructor(body: IncomingMessage, path: string, part: string, file: FileHandle) {
    const length = body.headers['content-length']
    this.length = length === undefined ? undefined : Number(length)
    const modified = new Date(body.headers['last-modified'] ?? '')
    this.modified = Number.isNaN(modified.getTime()) ? undefined : modified
    this.#path = path
    this.#part = part
    this.done = this.#write(body, file)
  }

  /** The body from its first byte. */
  async *read(): AsyncGenerator<Buffer> {
    const file = await open(this.#part).catch(() => open(this.#path)) // It was renamed meanwhile.
    try {
      for (let at = 0; ; ) {
        if (at < this.#written) {
          const { bytesRead, buffer } = await file.read({ buffer: Buffer.allocUnsafe(65_536), position: at })
          at += bytesRead
          yield buffer.subarray(0, bytesRead)
        } else if (this.#end === 'complete') {
          return
        } else if (this.#end) {
          throw this.#end
        } else {
          await new Promise<void>((resolve) => this.#waiting.push(resolve))
        }
      }
    } finally {
      await file.close()
    }
  }

  async #write(body: IncomingMessage, file: FileHandle): Promise<void> {
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        await file.write(chunk)
        this.#written += chunk.length
        this.#wake()
      }
      if (this.length !== undefined && this.#written !== this.length)
        throw new Error('the mirror sent an incomplete file')
      if (this.modified) await file.utimes(this.modified, this.modified)
      await rename(this.#part, this.#path)
      this.#end = 'complete'
    } catch (error) {
      await rm(this.#part, { force: true })
      this.#end = error instanceof Error ? error : new Error(String(error))
    } finally {
      await file.close()
      this.#wake()
    }
  }

  #wake(): void {
    for (const resume of this.#waiting.splice(0)) resume()
  }
}

/** Removes the partial downloads of processes that have ended. */
async function sweep(path: string): Promise<void> {
  for (const name of await readdir(dirname(path))) {
    const [, of, pid] = /^(.*)\.(\d+)\.part$/.exec(name) ?? []
    if (of === basename(path) && !existsSync(`/proc/${pid}`)) await rm(join(dirname(path), name), { force: true })
  }
}
