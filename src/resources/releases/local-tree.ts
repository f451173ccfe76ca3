import { createHash } from 'node:crypto'
import {
  closeSync,
  type Dirent,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  type Stats,
} from 'node:fs'
import { isAbsolute, join, normalize, relative } from 'node:path'
import { Problem } from '../../model/problem.ts'

/** An entry of a local directory, as it is sent to hosts. */
export type LocalEntry = LocalDirectory | LocalLink | LocalContent

interface LocalDirectory {
  readonly type: 'directory'
  /** Relative to the directory that is sent. */
  readonly path: string
}

interface LocalLink {
  readonly type: 'link'
  readonly path: string
  readonly target: string
}

interface LocalContent {
  readonly type: 'file'
  readonly path: string
  /** 0755 if its owner may execute it, otherwise 0644, independent of the umask of the build. */
  readonly mode: number
  readonly sha256: string
  /** Changes whenever the file changes. */
  readonly version: string
}

/** Bytes of a file in memory while it is hashed. */
const CHUNK = 1024 * 1024
/** Problems that an error lists. */
const MAX_PROBLEMS = 5

/**
 * Lists everything below a directory (a resolved path), sorted by path. Links remain links.
 *
 * @throws Problem for devices, fifos, sockets, links that lead out of the directory, and unreadable files
 */
export function entriesOf(directory: string): readonly LocalEntry[] {
  const entries: LocalEntry[] = []
  const faults: string[] = []
  const walk = (below: string): void => {
    for (const entry of readdirSync(join(directory, below), { withFileTypes: true })) {
      const path = join(below, entry.name)
      const found = entryOf(directory, path, entry)
      if (typeof found === 'string') faults.push(`${path}: ${found}`)
      else entries.push(found)
      if (entry.isDirectory()) walk(path)
    }
  }
  walk('')
  if (faults.length > 0) throw unsendable(directory, faults.sort())
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** A hash of names, contents, links, empty directories and executable bits, in hexadecimal. */
export function digestOf(entries: readonly LocalEntry[]): string {
  const hash = createHash('sha256')
  for (const entry of entries) {
    const { type, path } = entry
    const rest = type === 'file' ? [entry.mode, entry.sha256] : type === 'link' ? [entry.target] : []
    hash.update(`${JSON.stringify([type, path, ...rest])}\n`)
  }
  return hash.digest('hex')
}

/** The first entry that has changed since it was listed. */
export function changedIn(directory: string, entries: readonly LocalEntry[]): LocalEntry | undefined {
  return entries.find((entry) => {
    const path = join(directory, entry.path)
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (entry.type === 'directory') return !stat?.isDirectory()
    if (entry.type === 'link') return !stat?.isSymbolicLink() || readlinkSync(path) !== entry.target
    return !stat?.isFile() || versionOf(stat) !== entry.version || modeOf(stat) !== entry.mode
  })
}

/** The entry, or the reason it cannot be sent. */
function entryOf(directory: string, path: string, entry: Dirent): LocalEntry | string {
  if (entry.name.includes('\uFFFD')) return 'its name is not UTF-8'
  if (entry.isDirectory()) return { type: 'directory', path }
  if (entry.isSymbolicLink()) {
    const target = readlinkSync(join(directory, path))
    return linkProblem(directory, path, target) ?? { type: 'link', path, target }
  }
  return entry.isFile() ? contentOf(directory, path) : `it is a ${kindOf(entry)}`
}

function contentOf(directory: string, path: string): LocalContent | string {
  try {
    const stat = lstatSync(join(directory, path))
    const sha256 = sha256Of(join(directory, path))
    return { type: 'file', path, mode: modeOf(stat), sha256, version: versionOf(stat) }
  } catch (error) {
    return `it cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : String(error)})`
  }
}

/** A link to an absolute path refers to the host, such as the link of a Python environment to /usr/bin/python3. */
function linkProblem(directory: string, path: string, target: string): string | undefined {
  if (isAbsolute(target))
    return [directory, realpathSync(directory)].some((root) => isBelow(relative(root, target)))
      ? `it links to ${target}, a path of this machine; make the link relative`
      : undefined
  return isBelow(normalize(join(path, '..', target)))
    ? undefined
    : `it links to ${target}, which is outside of the directory`
}

function isBelow(path: string): boolean {
  return path !== '..' && !path.startsWith('../')
}

function kindOf(entry: Dirent): string {
  if (entry.isFIFO()) return 'fifo'
  return entry.isSocket() ? 'socket' : 'device'
}

function modeOf({ mode }: Stats): number {
  return mode & 0o100 ? 0o755 : 0o644
}

function versionOf({ ino, size, mtimeMs }: Stats): string {
  return `${ino} ${size} ${mtimeMs}`
}

/** Reads in chunks with one buffer. */
function sha256Of(path: string): string {
  const hash = createHash('sha256')
  const file = openSync(path, 'r')
  try {
    const piece = Buffer.allocUnsafe(CHUNK)
    for (let read = readSync(file, piece); read > 0; read = readSync(file, piece)) hash.update(piece.subarray(0, read))
  } finally {
    closeSync(file)
  }
  return hash.digest('hex')
}

function unsendable(directory: string, faults: readonly string[]): Problem {
  const more = faults.length - MAX_PROBLEMS
  return new Problem(`${directory} has entries that cannot be sent to hosts.`, {
    details: [...faults.slice(0, MAX_PROBLEMS), ...(more > 0 ? [`… and ${more} more`] : [])],
    next: 'Exclude them from the build, or replace them by regular files. Nothing was changed on any host.',
  })
}
