import { createHash } from 'node:crypto'
import { Problem } from '../../model/problem.ts'
import { type FakeState, resolvePath } from '../../model/resource/fake-state.ts'
import { batchRead } from '../../model/resource/read.ts'
import { forPaths, possible, type Shell, sh } from '../../shell/sh.ts'

/** A path from the root. */
export type AbsolutePath = `/${string}`

/** A file system entry. */
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
  /** The target of a link. */
  readonly target: string
  /** In hexadecimal, if the hash was requested and the content may be the wanted one. */
  readonly sha256: string | undefined
  /** The path after all links, if it was requested. */
  readonly real?: string
}

interface Query {
  readonly path: string
  /**
   * Returns the size of the wanted content in bytes, and requests the hash if the file may have it. Called late, when the script is
   * made: the content may be a secret that is entered at a prompt.
   */
  readonly content?: () => number
}

/** The entry at a path; undefined if there is none. All paths of a host take two `find` and one `sha256sum`. */
export const entryAt = batchRead<Query, Entry | undefined>({
  name: 'paths',
  dependsOn: ({ path }) => [path],
  shared: true,
  script: (queries) => statScript(queries, sh`find`),
  parse: ({ stdout }, queries) => {
    const { entries, hashes } = parse(stdout)
    return queries.map(({ path }) => {
      const entry = entries.get(path)
      return entry && { ...entry, sha256: hashes.get(path) }
    })
  },
  fakeValue: (host, { path }) => fakeEntry(host, path),
})

/** The entry at a path after all links; a dangling link is a link. */
export const resolvedEntryAt = batchRead<Query, Entry | undefined>({
  name: 'paths behind links',
  dependsOn: ({ path }) => [path],
  shared: true,
  script: (queries) => sh`${statScript(queries, sh`find -L`)}
printf '\0'
${forPaths(
  queries.map(({ path }) => path),
  (paths) => sh`readlink -mz -- ${paths}`,
)}`,
  parse: ({ stdout }, queries) => {
    const { entries, hashes, rest } = parse(stdout)
    const places = new Map(possible(queries.map(({ path }) => path)).map((path, i) => [path, i]))
    return queries.map(({ path }) => {
      const entry = entries.get(path)
      return entry && { ...entry, sha256: hashes.get(path), real: rest[places.get(path) ?? -1] ?? path }
    })
  },
  fakeValue: (host, { path }) => {
    const real = resolvePath(host, path)
    const entry = fakeEntry(host, real)
    return entry && { ...entry, real }
  },
})

function fakeEntry({ paths }: FakeState, path: string): Entry | undefined {
  const found = paths.get(path)
  if (!found) return undefined
  const { content, target = '', type, owner, group, mode } = found
  const sha256 = content && createHash('sha256').update(content).digest('hex')
  // On a fake host the ids of users and groups are their names.
  return { type, owner, group, uid: owner, gid: group, mode, target, size: content?.length ?? 0, sha256 }
}

/** One `find` with `sha256sum` for paths whose hash is requested, and one for all others. */
function statScript(queries: readonly Query[], find: Shell): Shell {
  const wanted = queries.flatMap(({ path, content }) => (content ? [{ path, content: content() }] : []))
  const small = wanted.filter(({ content }) => content < LARGE)
  const large = wanted.filter(({ content }) => content >= LARGE)
  const longest = Math.max(0, ...small.map(({ content }) => content))
  const hashed = new Set(small.map(({ path }) => path))
  const others = queries.filter(({ path }) => !hashed.has(path)).map(({ path }) => path)
  const statOf = (paths: readonly string[]) =>
    sh`${find} ${paths} -maxdepth 0 -printf ${'%p\\0%y\\0%m\\0%u\\0%g\\0%U\\0%G\\0%s\\0%l\\0'}`
  return sh`{
${forPaths(others, statOf)}
${forPaths([...hashed], (paths) => sh`${statOf(paths)} -type f -size ${`-${longest + 1}c`} -exec sha256sum -z -- {} +`)}
${large.length > 0 ? hashLargeFiles(large) : sh`:`}
} 2>/dev/null`
}

/** Bytes. A file of at least this size is hashed only if it has the wanted size, and once per session. */
const LARGE = 8 * 1024 * 1024

/**
 * Caches hashes in memory by everything that changes when a file is written. Each session starts a new cache, since a disk may corrupt
 * files. All files take one `find`; a hashed file takes a `sha256sum`, and all hashed files another `find`.
 */
function hashLargeFiles(wanted: readonly { readonly path: string; readonly content: number }[]): Shell {
  const versions = forPaths(
    wanted.map(({ path }) => path),
    (paths) => sh`find -L ${paths} -maxdepth 0 -type f -printf ${'%s.%D.%i.%T@.%C@ %p/\\n'}`,
  )
  return sh`
sums=/run/provision.sums nl='
'
first=; read -r first <$sums
[ "$first" = "session $$" ] || { umask 077; echo "session $$" >$sums; umask 022; }
version_of() {
  version=
  case "$nl$all" in *" $1/$nl"*) version=\${all%%" $1/$nl"*}; version=\${version##*"$nl"} ;; esac
  case $version in "$2".*) ;; *) version= ;; esac
}
sum_of() { sum=; while read -r key value; do [ "$key" != "$version" ] || sum=$value; done <$sums; }
all=$(${versions})$nl new=
set -- ${wanted.flatMap(({ path, content }) => [path, String(content)])}
while [ $# -gt 0 ]; do
  version_of "$1" "$2"
  [ -z "$version" ] || {
    sum_of
    [ "$sum" ] || { sum=$(sha256sum <"$1") && sum=\${sum%% *} && new="$new$version $sum$nl"; }
    [ -z "$sum" ] || printf '%s  %s\0' "$sum" "$1"
  }
  shift 2
done
[ -z "$new" ] || {
  all=$nl$(${versions})
  while [ "$new" ]; do
    case $all in *"$nl\${new%% *} "*) printf '%s\n' "\${new%%"$nl"*}" ;; esac
    new=\${new#*"$nl"}
  done >>$sums
}`
}

const FIELDS = 9

function parse(stdout: string) {
  const values = stdout.split('\0')
  const entries = new Map<string, Omit<Entry, 'sha256'>>()
  const hashes = new Map<string, string>()
  let at = 0
  while (values[at]) {
    const [path = '', type = '', mode = '', owner = '', group = '', uid = '', gid = '', size, target = ''] =
      values.slice(at, at + FIELDS)
    // A line of sha256sum: 64 digits, a space, a type character, the name.
    if (!path.startsWith('/')) hashes.set(path.slice(66), path.slice(0, 64))
    else
      entries.set(path, {
        type: TYPES[type] ?? 'device',
        mode: mode.padStart(4, '0'),
        ...{ owner, group, uid, gid },
        size: Number(size),
        target,
      })
    at += path.startsWith('/') ? FIELDS : 1
  }
  return { entries, hashes, rest: values.slice(at + 1) }
}

const TYPES: Readonly<Record<string, Entry['type']>> = {
  ...{ f: 'file', d: 'directory', l: 'link' },
  ...{ p: 'fifo', s: 'socket', b: 'device', c: 'device' },
}

/** The entry with the wanted owner and group where these are the numeric ids of the actual ones, as chown accepts both. */
export function matchOwnership<E extends Pick<Entry, 'owner' | 'group' | 'uid' | 'gid'>>(
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

/** The problem that an entry of another type is in the way. @param advice what to do about a link, after its target */
export function wrongType(path: string, { type, target }: Entry, wanted: string, advice?: string): Problem {
  const next =
    type === 'link' && advice !== undefined
      ? `It leads to ${target}. ${advice}`
      : 'Move it away on the host, or give the step another path.'
  return new Problem(`${path} is a ${type}, not ${wanted}`, { next })
}
