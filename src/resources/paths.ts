import { family } from '../model/read.ts'
import { sh } from '../shell/sh.ts'

/** A path from the root: a relative one would depend on who runs. */
export type AbsolutePath = `/${string}`

/** What stands at a path. */
export interface Entry {
  readonly type: 'file' | 'directory' | 'link' | 'special file'
  /** Four octal digits: `0644`. */
  readonly mode: string
  readonly owner: string
  readonly group: string
  /** Bytes. */
  readonly size: number
  /** Where a link points. */
  readonly target: string
  /** Of a file whose content was asked for, in hexadecimal. */
  readonly sha256: string | undefined
}

/** What stands at a path; undefined for nothing. One `find` and one `sha256sum` for all paths of a host. */
export const entryAt = family<{ readonly path: string; readonly content?: boolean }, Entry | undefined>({
  name: 'paths',
  script: (queries) => {
    const all = queries.map(({ path }) => path)
    const files = queries.filter(({ content }) => content).map(({ path }) => path)
    return sh`
printf '%s\0' ${all} | xargs -0 sh -c 'find "$@" -maxdepth 0 -printf "%p\0%y\0%m\0%u\0%g\0%s\0%l\0"' _ 2>/dev/null
printf '\0'
printf '%s\0' ${files.length > 0 ? files : '/nonexistent'} | xargs -0 sh -c 'find "$@" -maxdepth 0 -type f -print0' _ 2>/dev/null | xargs -0 -r sha256sum -z --`
  },
  parse: ({ stdout }, queries) => {
    const { entries, hashes } = parse(stdout)
    return queries.map(({ path }) => {
      const entry = entries.get(path)
      return entry && { ...entry, sha256: hashes.get(path) }
    })
  },
})

const FIELDS = 7

function parse(stdout: string) {
  const words = stdout.split('\0')
  const entries = new Map<string, Omit<Entry, 'sha256'>>()
  let at = 0
  for (; words[at]; at += FIELDS) {
    const [path = '', type = '', mode = '', owner = '', group = '', size, target = ''] = words.slice(
      at,
      at + FIELDS,
    )
    entries.set(path, {
      type: TYPES[type] ?? 'special file',
      mode: mode.padStart(4, '0'),
      owner,
      group,
      size: Number(size),
      target,
    })
  }
  // Each line of sha256sum: 64 digits, a space, a mark, the name.
  const hashes = new Map(
    words
      .slice(at + 1)
      .filter((line) => line !== '')
      .map((line) => [line.slice(66), line.slice(0, 64)]),
  )
  return { entries, hashes }
}

const TYPES: Readonly<Record<string, Entry['type']>> = { f: 'file', d: 'directory', l: 'link' }
