import { createHash } from 'node:crypto'
import { family } from '../model/read.ts'
import { behind, type Sketch } from '../model/sketch.ts'
import { lines } from '../shell/lines.ts'
import { type Shell, sh } from '../shell/sh.ts'

/** A path from the root: a relative one would depend on who runs. */
export type AbsolutePath = `/${string}`

/** What is at a path. */
export interface Entry {
  readonly type: 'file' | 'directory' | 'link' | 'fifo' | 'socket' | 'device'
  /** Four octal digits: `0644`. */
  readonly mode: string
  readonly owner: string
  readonly group: string
  /** The numbers of owner and group. */
  readonly uid: string
  readonly gid: string
  /** Bytes. */
  readonly size: number
  /** Where a link points. */
  readonly target: string
  /** Of a file whose content was asked for and may be the wanted one, in hexadecimal. */
  readonly sha256: string | undefined
  /** The path behind all links, where that was asked for. */
  readonly real?: string
}

/** A question about a path. */
interface Query {
  readonly path: string
  /**
   * Asks for the hash of a file whose content may be the wanted one: how many bytes that has. Looked at when the host is asked,
   * since the content may be a secret, which a person has to give.
   */
  readonly content?: () => number
}

/** What stands at a path; undefined for nothing. One `find` and one `sha256sum` for all paths of a host. */
export const entryAt = family<Query, Entry | undefined>({
  name: 'paths',
  dependsOn: ({ path }) => [path],
  script: (queries) => asked(queries, sh`find`),
  parse: ({ stdout }, queries) => {
    const { entries, hashes } = parse(stdout)
    return queries.map(({ path }) => {
      const entry = entries.get(path)
      return entry && { ...entry, sha256: hashes.get(path) }
    })
  },
  sketched: (host, { path }) => sketchedEntry(host, path),
})

/** What stands where a path leads to in the end; a link that leads to nothing is a link. */
export const entryBehind = family<Query, Entry | undefined>({
  name: 'paths behind links',
  dependsOn: ({ path }) => [path],
  script: (queries) => sh`${asked(queries, sh`find -L`)}
printf '\0'
printf '%s\0' ${queries.map(({ path }) => path)} | xargs -0 readlink -mz --`,
  parse: ({ stdout }, queries) => {
    const { entries, hashes, rest } = parse(stdout)
    return queries.map(({ path }, i) => {
      const entry = entries.get(path)
      return entry && { ...entry, sha256: hashes.get(path), real: rest[i] ?? path }
    })
  },
  sketched: (host, { path }) => {
    const real = behind(host, path)
    const entry = sketchedEntry(host, real)
    return entry && { ...entry, real }
  },
})

function sketchedEntry({ paths }: Sketch, path: string): Entry | undefined {
  const found = paths.get(path)
  if (!found) return undefined
  const { content, target = '', type, owner, group, mode } = found
  const sha256 = content && createHash('sha256').update(content).digest('hex')
  // A fake host numbers users and groups by their names.
  return { type, owner, group, uid: owner, gid: group, mode, target, size: content?.length ?? 0, sha256 }
}

function asked(queries: readonly Query[], find: Shell): Shell {
  const paths = queries.map(({ path }) => path)
  const wanted = queries.flatMap(({ path, content }) => (content ? [{ path, content: content() }] : []))
  const small = wanted.filter(({ content }) => content < LARGE)
  const longest = Math.max(0, ...small.map(({ content }) => content))
  return sh`
printf '%s\0' ${paths} | xargs -0 sh -c ${sh`${find} "$@" -maxdepth 0 -printf "%p\0%y\0%m\0%u\0%g\0%U\0%G\0%s\0%l\0"`.text} _ 2>/dev/null
printf '\0'
printf '%s\0' ${small.length > 0 ? small.map(({ path }) => path) : '/nonexistent'} | xargs -0 sh -c ${sh`${find} "$@" -maxdepth 0 -type f -size ${`-${longest + 1}c`} -print0`.text} _ 2>/dev/null | xargs -0 -r sha256sum -z --
${wanted.length > small.length ? largeOnes(wanted.filter(({ content }) => content >= LARGE)) : sh``}`
}

/** From this size on a file is hashed only when it has the wanted size, and once a session, bytes. */
const LARGE = 8 * 1024 * 1024

/**
 * A list in memory of what this session has hashed, by all that changes when a file is written. It begins anew with each session,
 * for a disk may rot.
 */
function largeOnes(wanted: readonly { readonly path: string; readonly content: number }[]): Shell {
  return sh`
sums=/run/provision.sums
[ "$(head -n 1 $sums 2>/dev/null)" = "session $$" ] || (umask 077; echo "session $$" > $sums) 2>/dev/null
hashed() {
  version=$(find -L "$1" -maxdepth 0 -type f -size "$2c" -printf '%D.%i.%s.%T@.%C@' 2>/dev/null)
  [ "$version" ] || return 0
  sum=$(sed -n "s/^$version //p" $sums 2>/dev/null | tail -n 1)
  if [ ! "$sum" ]; then
    sum=$(sha256sum < "$1") && sum=\${sum%% *} || return 0
    [ "$version" != "$(find -L "$1" -maxdepth 0 -printf '%D.%i.%s.%T@.%C@')" ] || echo "$version $sum" >> $sums
  fi
  printf '%s  %s\0' "$sum" "$1"
} 2>/dev/null
${lines(wanted.map(({ path, content }) => sh`hashed ${path} ${content}`))}`
}

const FIELDS = 9

function parse(stdout: string) {
  const words = stdout.split('\0')
  const entries = new Map<string, Omit<Entry, 'sha256'>>()
  let at = 0
  for (; words[at]; at += FIELDS) {
    const [path = '', type = '', mode = '', owner = '', group = '', uid = '', gid = '', size, target = ''] =
      words.slice(at, at + FIELDS)
    entries.set(path, {
      type: TYPES[type] ?? 'device',
      mode: mode.padStart(4, '0'),
      ...{ owner, group, uid, gid },
      size: Number(size),
      target,
    })
  }
  // Each line of sha256sum: 64 digits, a space, a mark, the name.
  const hashes = new Map<string, string>()
  for (at++; words[at]; at++) hashes.set((words[at] ?? '').slice(66), (words[at] ?? '').slice(0, 64))
  return { entries, hashes, rest: words.slice(at + 1) }
}

const TYPES: Readonly<Record<string, Entry['type']>> = {
  ...{ f: 'file', d: 'directory', l: 'link' },
  ...{ p: 'fifo', s: 'socket', b: 'device', c: 'device' },
}

/** The entry with its owner and group as they are wanted, where these are numbers: as for chown, a number is one way to name them. */
export function namedAs<E extends Pick<Entry, 'owner' | 'group' | 'uid' | 'gid'>>(
  entry: E | undefined,
  { owner, group }: { readonly owner: string; readonly group: string },
): E | undefined {
  if (!entry) return undefined
  return {
    ...entry,
    owner: entry.uid === owner ? owner : entry.owner,
    group: entry.gid === group ? group : entry.group,
  }
}
