import { createHash } from 'node:crypto'
import { type BigIntStats, createReadStream, readFileSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Problem } from '../../model/problem.ts'
import type { OpenStream, Streamed } from '../../model/resource/command.ts'
import { Secret } from '../../shell/secret.ts'

/** The content of a file: UTF-8 text, bytes, a secret, or a file of this machine. */
export type Content = string | Uint8Array | Secret | LocalFile

export interface FileParams {
  readonly path: string
  readonly content: Content
  readonly owner: string
  readonly group: string
  readonly mode: string
  readonly backup?: boolean
}

/**
 * The SHA-256 of a content in hexadecimal, to name a file after its content.
 *
 * @example file(`/srv/app/style-${sha256(conf).slice(0, 8)}.css`, conf)
 */
export function sha256(content: Exclude<Content, LocalFile>): string {
  return createHash('sha256').update(bytesOf(content)).digest('hex')
}

/** Undefined for a local file that is not hashed yet. */
export function hashOf(content: Content): string | undefined {
  return content instanceof LocalFile ? content.sha256 : sha256(content)
}

export function sizeOf(content: Content): number {
  return content instanceof LocalFile ? content.size : bytesOf(content).length
}

export function bytesOf(content: Content): Buffer {
  if (content instanceof LocalFile) return content.read()
  return Buffer.from(content instanceof Secret ? content.reveal() : content)
}

/** Undefined for binary content. */
export function textOf(content: Content): string | undefined {
  const bytes = bytesOf(content)
  return isBinary(bytes) ? undefined : bytes.toString()
}

export function isBinary(bytes: Buffer): boolean {
  return bytes.includes(0) || !Buffer.from(bytes.toString()).equals(bytes)
}

/** Bytes in memory while a local file is sent, and while it is hashed. */
const SEND_CHUNK = 64 * 1024
const HASH_CHUNK = 1024 * 1024

/** A file of this machine as content. It is streamed, never held in memory. */
export class LocalFile implements Streamed {
  readonly path: string
  /** Bytes. */
  readonly size: number
  readonly #version: string
  #sha256: string | undefined

  /** @throws Problem if there is no such file */
  constructor(path: string) {
    const stat = statOf(path)
    this.path = path
    this.size = Number(stat.size)
    this.#version = versionOf(stat)
  }

  /** Hashes the file, once in a run for all steps and hosts. */
  async hash(): Promise<void> {
    const key = `${this.path}\0${this.#version}`
    const hashing = HASHES.get(key) ?? hashFile(this.path)
    HASHES.set(key, hashing)
    this.#sha256 = await hashing
  }

  /** In hexadecimal; undefined before {@link hash} has ended. */
  get sha256(): string | undefined {
    return this.#sha256
  }

  /** Reads a small file as a whole. */
  read(): Buffer {
    return readFileSync(this.path)
  }

  async open(): Promise<OpenStream> {
    if (versionOf(statOf(this.path)) !== this.#version) throw this.#changed()
    return { size: this.size, pieces: this.#pieces() }
  }

  async *#pieces(): AsyncIterable<Uint8Array> {
    let left = this.size
    if (left === 0) return
    for await (const piece of createReadStream(this.path, { highWaterMark: SEND_CHUNK, end: left - 1 })) {
      const bytes: Buffer = piece
      left -= bytes.length
      yield bytes
    }
    if (left > 0) throw this.#changed()
  }

  #changed(): Problem {
    return new Problem(`${this.path} changed during the run`, { next: 'Run the same command again.' })
  }
}

/**
 * A file next to the caller's source file as the content of a file on hosts. It may have any size, and is sent only where it differs.
 *
 * @param meta `import.meta` of the caller
 * @param name a path relative to the caller's folder, or an absolute path
 * @throws Problem if there is no such file
 * @example file('/srv/images/x.iso', localFile(import.meta, 'files/x.iso'))
 */
export function localFile({ url }: { readonly url: string }, name: string): LocalFile {
  return new LocalFile(resolve(dirname(fileURLToPath(url)), name))
}

const HASHES = new Map<string, Promise<string>>()

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  const file = await open(path)
  try {
    const piece = Buffer.allocUnsafe(HASH_CHUNK)
    for (;;) {
      const { bytesRead } = await file.read(piece, 0, HASH_CHUNK)
      if (bytesRead === 0) return hash.digest('hex')
      hash.update(piece.subarray(0, bytesRead))
    }
  } finally {
    await file.close()
  }
}

function statOf(path: string): BigIntStats {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (stat?.isFile()) return stat
  throw new Problem(stat ? `${path} is not a file` : `There is no file ${path}`, {
    next: 'The path is relative to the folder of the file that calls localFile().',
  })
}

function versionOf({ size, mtimeNs, ino }: BigIntStats): string {
  return `${ino} ${size} ${mtimeNs}`
}
