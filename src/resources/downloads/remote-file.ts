import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Problem } from '../../model/problem.ts'
import type { OpenStream, Streamed } from '../../model/resource/command.ts'
import { Secret } from '../../shell/secret.ts'

interface Remote {
  readonly url: string
  readonly headers: Readonly<Record<string, string | Secret>>
  /** In hexadecimal; undefined to accept any content. */
  readonly sha256: string | undefined
}

/** A URL as content. This machine fetches it once for all hosts, into an unlinked file that ends with this process. */
export class RemoteFile implements Streamed {
  readonly #of: Remote

  constructor(of: Remote) {
    this.#of = of
  }

  /** @throws Problem if it cannot be fetched, or has another checksum */
  async open(): Promise<OpenStream> {
    const key = `${this.#of.url} ${this.#of.sha256}`
    const fetching = FETCHED.get(key) ?? fetchFile(this.#of)
    FETCHED.set(key, fetching)
    // Later steps and runs of this process try again.
    fetching.catch(() => FETCHED.delete(key))
    const { file, size } = await fetching
    if (size === 0) return { size, pieces: none() }
    return { size, pieces: createReadStream('', { fd: file, start: 0, end: size - 1, autoClose: false }) }
  }
}

interface Kept {
  readonly file: FileHandle
  readonly size: number
}

const FETCHED = new Map<string, Promise<Kept>>()

async function fetchFile({ url, headers, sha256 }: Remote): Promise<Kept> {
  const plain = Object.entries(headers).map(
    ([name, value]) => [name, value instanceof Secret ? value.reveal() : value] as const,
  )
  const answer = await fetch(url, { headers: Object.fromEntries(plain) }).catch((cause: unknown) => {
    throw failed(url, reasonOf(cause), cause)
  })
  if (!answer.ok || !answer.body) throw failed(url, `the server answers ${answer.status} ${answer.statusText}`)
  const path = join(tmpdir(), `provision-${randomBytes(8).toString('hex')}.download`)
  const file = await open(path, 'wx+', 0o600)
  await unlink(path)
  try {
    const hash = createHash('sha256')
    let size = 0
    for await (const piece of answer.body) {
      hash.update(piece)
      size += piece.length
      await file.write(piece)
    }
    const sum = hash.digest('hex')
    if (sha256 === undefined || sum === sha256) return { file, size }
    throw failed(url, `it has another content: its SHA-256 is ${sum}`)
  } catch (error) {
    await file.close()
    throw error instanceof Problem ? error : failed(url, reasonOf(error), error)
  }
}

function failed(url: string, why: string, cause?: unknown): Problem {
  return new Problem(`This machine cannot fetch ${url}: ${why}`, {
    next: 'Correct the URL or the checksum, or install curl on the host in a step before this one.',
    cause,
  })
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  return cause instanceof Error ? cause.message : String(cause)
}

async function* none(): AsyncIterable<Uint8Array> {}
