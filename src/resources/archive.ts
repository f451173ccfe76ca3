import { createHash, randomBytes } from 'node:crypto'
import { closeSync, createReadStream, openSync, readdirSync, readSync } from 'node:fs'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Opened, Streamed } from '../model/streamed.ts'

/** How much is in memory of a file that is packed or sent, bytes. */
const PIECE = 1024 * 1024

/** All files below a directory (a resolved path), in an order of their own that no file system has a say in. */
export function filesOf(directory: string): readonly string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort()
}

/** Reads a file piece by piece; the same memory is used for each. */
export function eachPiece(path: string, take: (piece: Uint8Array) => void): void {
  const file = openSync(path, 'r')
  try {
    const piece = Buffer.allocUnsafe(PIECE)
    for (let read = readSync(file, piece); read > 0; read = readSync(file, piece))
      take(piece.subarray(0, read))
  } finally {
    closeSync(file)
  }
}

/** The files of a directory as a packed archive: made once, in a file that goes with this process, however many hosts take it. */
export function archiveOf({ directory, id }: { readonly directory: string; readonly id: string }): Streamed {
  return {
    async open(): Promise<Opened> {
      const making = MADE.get(`${directory}/${id}`) ?? make(directory)
      MADE.set(`${directory}/${id}`, making)
      const { file, size } = await making
      return { size, pieces: createReadStream('', { fd: file, start: 0, end: size - 1, autoClose: false }) }
    },
  }
}

interface Archive {
  readonly file: FileHandle
  readonly size: number
}

const MADE = new Map<string, Promise<Archive>>()

async function make(directory: string): Promise<Archive> {
  // Loaded when something is packed: it takes 30 ms.
  const { create }: typeof import('tar') = createRequire(import.meta.url)('tar')
  const packer = create(
    {
      gzip: true,
      portable: true,
      cwd: directory,
      maxReadSize: PIECE,
      jobs: 1,
      onWriteEntry: (entry) => {
        entry.mtime = timeOf(join(directory, entry.path))
      },
    },
    // To the packer a name that begins with @ is an archive to be taken in.
    filesOf(directory).map((name) => `./${name}`),
  )
  const path = join(tmpdir(), `provision-${randomBytes(8).toString('hex')}.tar.gz`)
  const file = await open(path, 'wx+', 0o600)
  await unlink(path)
  for await (const piece of packer) await file.write(piece)
  const { size } = await file.stat()
  return { file, size }
}

/**
 * Web servers make an ETag of a file's time and size, so the time is made of its content: the same on every host and in every
 * release that has the same bytes, another one for others of the same length. A second between 2001 and 2009.
 */
function timeOf(path: string): Date {
  const hash = createHash('sha256')
  eachPiece(path, (piece) => hash.update(piece))
  const digits = hash.digest().readUInt32BE()
  return new Date(1e12 + (digits % 2 ** 28) * 1000)
}
