import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Problem } from '../../model/problem.ts'
import type { OpenStream, Streamed } from '../../model/resource/command.ts'
import { changedIn, type LocalEntry } from './local-tree.ts'

/** How much is in memory of a file that is packed, bytes. */
const PIECE = 1024 * 1024

interface Packed {
  readonly directory: string
  readonly id: string
  readonly entries: readonly LocalEntry[]
}

/** These entries of a directory as a packed archive: made once, in a file that goes with this process, however many hosts take it. */
export function archiveOf(packed: Packed): Streamed {
  return {
    async open(): Promise<OpenStream> {
      const key = `${packed.directory}/${packed.id}`
      const making = MADE.get(key) ?? make(packed)
      MADE.set(key, making)
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

/** @throws Problem when an entry is no longer as it was listed */
async function make({ directory, entries }: Packed): Promise<Archive> {
  // Loaded when something is packed: it takes 30 ms.
  const { create }: typeof import('tar') = createRequire(import.meta.url)('tar')
  // To the packer a name that begins with @ is an archive to be taken in.
  const byName = new Map(entries.map((entry) => [`./${entry.path}`, entry]))
  const packer = create(
    {
      gzip: true,
      portable: true,
      cwd: directory,
      maxReadSize: PIECE,
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
  } catch (error) {
    assertUnchanged(directory, entries)
    throw error
  }
  assertUnchanged(directory, entries)
  const { size } = await file.stat()
  return { file, size }
}

function assertUnchanged(directory: string, entries: readonly LocalEntry[]): void {
  const changed = changedIn(directory, entries)
  if (changed)
    throw new Problem(`${join(directory, changed.path)} was changed while the run was under way`, {
      next: 'Run the same command again.',
    })
}

/**
 * Web servers make an ETag of a file's time and size, so the time is made of its content: the same on every host and in every
 * release that has the same bytes, another one for others of the same length. A second between 2001 and 2009.
 */
function timeOf(entry: LocalEntry): Date {
  const digits = entry.type === 'file' ? Number.parseInt(entry.sha256.slice(0, 8), 16) : 0
  return new Date(1e12 + (digits % 2 ** 28) * 1000)
}
