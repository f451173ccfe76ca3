import { createHash } from 'node:crypto'
import { type BigIntStats, createReadStream, readFileSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Problem } from '../../model/problem.ts'
import type { OpenStream, Streamed } from '../../model/resource/command.ts'

/** How much is read at once to be sent, and to be hashed, bytes. */
const PIECE = 64 * 1024
const HASHED = 1024 * 1024

/** A file of this machine as content: sent as it is read, never held in memory. */
export class LocalFile implements Streamed {
  readonly path: string
  /** Bytes. */
  readonly size: number
  readonly #version: string
  #sha256: string | undefined

  /** @throws Problem when there is no such file */
  constructor(path: string) {
    const stat = look(path)
    this.path = path
    this.size = Number(stat.size)
    this.#version = versionOf(stat)
  }

  /** Reads it once in a run, however many steps and hosts want it. */
  async hash(): Promise<void> {
    const key = `${this.path}\0${this.#version}`
    const hashing = HASHES.get(key) ?? hashOf(this.path)
    HASHES.set(key, hashing)
    this.#sha256 = await hashing
  }

  /** In hexadecimal; known when {@link hash} has ended. */
  get sha256(): string | undefined {
    return this.#sha256
  }

  /** All of it, for a file that is known to be small. */
  read(): Buffer {
    return readFileSync(this.path)
  }

  async open(): Promise<OpenStream> {
    if (versionOf(look(this.path)) !== this.#version) throw this.#changed()
    return { size: this.size, pieces: this.#pieces() }
  }

  async *#pieces(): AsyncIterable<Uint8Array> {
    let left = this.size
    if (left === 0) return
    for await (const piece of createReadStream(this.path, { highWaterMark: PIECE, end: left - 1 })) {
      const bytes: Buffer = piece
      left -= bytes.length
      yield bytes
    }
    if (left > 0) throw this.#changed()
  }

  #changed(): Problem {
    return new Problem(`${this.path} was changed while the run was under way`, {
      next: 'Run the same command again.',
    })
  }
}

/**
 * A file of this machine, beside the file that asks for it, as the content of one on hosts: of any size, and sent only where
 * it differs.
 *
 * @param meta `import.meta` of the caller
 * @param name a path from the caller's folder, or from the root
 * @throws Problem when there is no such file
 * @example file('/srv/images/x.iso', localFile(import.meta, 'files/x.iso'))
 */
export function localFile({ url }: { readonly url: string }, name: string): LocalFile {
  return new LocalFile(resolve(dirname(fileURLToPath(url)), name))
}

const HASHES = new Map<string, Promise<string>>()

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  const file = await open(path)
  try {
    const piece = Buffer.allocUnsafe(HASHED)
    for (;;) {
      const { bytesRead } = await file.read(piece, 0, HASHED)
      if (bytesRead === 0) return hash.digest('hex')
      hash.update(piece.subarray(0, bytesRead))
    }
  } finally {
    await file.close()
  }
}

function look(path: string): BigIntStats {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (stat?.isFile()) return stat
  throw new Problem(stat ? `${path} is no file` : `There is no file ${path}`, {
    next: 'The path is taken from the folder of the file that asks for it.',
  })
}

function versionOf({ size, mtimeNs, ino }: BigIntStats): string {
  return `${ino} ${size} ${mtimeNs}`
}
