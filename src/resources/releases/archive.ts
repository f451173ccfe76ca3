import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Problem } from '../../model/problem.ts'
import type { OpenStream, Streamed } from '../../model/resource/command.ts'
import { changedIn, type LocalEntry } from './local-tree.ts'

/** Bytes of a file in memory while it is packed. */
const CHUNK = 1024 * 1024

interface Contents {
  readonly directory: string
  readonly id: string
  readonly entries: readonly LocalEntry[]
}

/** The entries of a directory as an archive. It is made once for all hosts, in an unlinked file that ends with this process. */
export function archiveOf(contents: Contents): Streamed {
  return {
    async open(): Promise<OpenStream> {
      const key = `${contents.directory}/${contents.id}`
      const archive = ARCHIVES.get(key) ?? pack(contents)
      ARCHIVES.set(key, archive)
      const { file, size } = await archive
      return { size, pieces: createReadStream('', { fd: file, start: 0, end: size - 1, autoClose: false }) }
    },
  }
}

interface Archive {
  readonly file: FileHandle
  readonly size: number
}

const ARCHIVES = new Map<string, Promise<Archive>>()

/** @throws Problem if an entry has changed since it was listed */
async function pack({ directory, entries }: Contents): Promise<Archive> {
  // Loaded on demand: it takes 30 ms.
  const { create }: typeof import('tar') = createRequire(import.meta.url)('tar')
  // A leading ./, since the packer takes a name that begins with @ for an archive.
  const byName = new Map(entries.map((entry) => [`./${entry.path}`, entry]))
  const packer = create(
    {
      gzip: true,
      portable: true,
      cwd: directory,
      maxReadSize: CHUNK,
      jobs: 1,
      noDirRecurse: true,
      onWriteEntry: (written) => {
        const entry = byName.get(written.path.replace(/\/$/, ''))
        if (!entry || !written.stat) return
        written.stat.mode = entry.type === 'file' ? entry.mode : 0o755
        written.noMtime = false
        written.mtime = timeOf(entry)
      },
    },
    [...byName.keys()],
  )
  const path = join(tmpdir(), `provision-${randomBytes(8).toString('hex')}.tar.gz`)
  const file = await open(path, 'wx+', 0o600)
  await unlink(path)
  try {
    for await (const piece of packer) await file.write(piece)
    assertUnchanged(directory, entries)
    const { size } = await file.stat()
    return { file, size }
  } catch (error) {
    await file.close()
    // The packer reports a file that has changed in other words.
    assertUnchanged(directory, entries)
    throw error
  }
}

function assertUnchanged(directory: string, entries: readonly LocalEntry[]): void {
  const changed = changedIn(directory, entries)
  if (changed)
    throw new Problem(`${join(directory, changed.path)} changed during the run`, {
      next: 'Run the same command again.',
    })
}

/**
 * A modification time between 2001 and 2009, derived from the content: web servers make ETags of time and size. Equal files have equal
 * times on all hosts and in all releases, different files of the same size different ones.
 */
function timeOf(entry: LocalEntry): Date {
  const digits = entry.type === 'file' ? Number.parseInt(entry.sha256.slice(0, 8), 16) : 0
  return new Date(1e12 + (digits % 2 ** 28) * 1000)
}
