import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Problem } from '../../model/problem.ts'
import type { FieldChange } from '../../model/resource/diff.ts'
import { type FakeState, putPath, removePath } from '../../model/resource/fake-state.ts'
import { batchRead } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { forPaths, joinLines, type Shell, sh } from '../../shell/sh.ts'
import { checkedMode, checkPath, LONGEST_NAME } from '../arguments.ts'
import { archiveOf } from '../releases/archive.ts'
import { digestOf, entriesOf, type LocalEntry } from '../releases/local-tree.ts'
import { sha256 } from './content.ts'
import { REMOVED } from './staging.ts'
import type { AbsolutePath } from './stat.ts'

/** A directory of this machine, made by {@link localDirectory}. */
export interface LocalDirectory {
  readonly path: string
  readonly entries: readonly LocalEntry[]
}

interface TreeOptions extends StepOptions {
  /** @default 'root' */
  readonly owner?: string
  /** @default the owner's name */
  readonly group?: string
  /**
   * Three or four octal digits for the files, without execute bits: directories, and files that their owner may execute on this machine,
   * get one for each class that may read. @default '0644'
   */
  readonly mode?: string
  /** Moves everything else below the path to `/var/lib/provision/removed`. The plan shows it. @default false: it stays */
  readonly exclusive?: boolean
}

/**
 * A directory next to the caller's source file, for {@link tree}. Links in it must stay inside.
 *
 * @param meta `import.meta` of the caller
 * @param name a path relative to the caller's folder, or an absolute path
 * @throws Problem if there is no such directory, and for entries that cannot be sent
 * @example tree('/etc/nginx/snippets', localDirectory(import.meta, 'files/snippets'))
 */
export function localDirectory({ url }: { readonly url: string }, name: string): LocalDirectory {
  const path = resolve(dirname(fileURLToPath(url)), name)
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new Problem(`There is no directory ${path}`, {
      next: 'The path is relative to the folder of the file that calls localDirectory().',
    })
  return Object.freeze({ path, entries: entriesOf(path) })
}

/**
 * A directory of the host that is kept equal to one of this machine: names, contents, links and empty directories. Only what differs is
 * sent, and each file is replaced atomically. Links on the host are never followed.
 *
 * A run reads one hash from the host if everything is equal, and the list of the entries otherwise.
 *
 * @throws TypeError for an invalid path or mode
 * @example tree('/etc/nginx/snippets', localDirectory(import.meta, 'files/snippets'), { exclusive: true, notify: reloaded('nginx') })
 */
export function tree(
  path: AbsolutePath,
  from: LocalDirectory,
  { owner = 'root', group = owner, mode = '0644', exclusive = false, ...options }: TreeOptions = {},
): Step {
  const what = `tree ${path}`
  checkPath(what, path, { longest: LONGEST_NAME - INCOMING.length })
  const checked = checkedMode(what, mode)
  for (const name of [owner, group])
    if (!/^[A-Za-z_][\w.$-]*$/.test(name)) throw new TypeError(`${what}: "${name}" is not the name of a user or group`)
  if (Number.parseInt(checked, 8) & 0o7111)
    throw new TypeError(`${what}: the mode ${mode} is one of plain files, such as 0644`)
  return treeStep(
    { path, from, owner, group, mode: checked, exclusive, wanted: manifestOf(from, { owner, group, mode: checked }) },
    options,
  )
}

/** The suffix of the directory that the host unpacks into. */
const INCOMING = '.provision-incoming'

interface TreeParams {
  readonly path: AbsolutePath
  readonly from: LocalDirectory
  readonly owner: string
  readonly group: string
  readonly mode: string
  readonly exclusive: boolean
  readonly wanted: Manifest
}

/** The state of an entry, by its path below the tree; the path of the tree itself is empty. */
type Manifest = ReadonlyMap<string, string>

/** The entries of the host; the wanted ones if the hashes are equal. */
const treeStep = resource<TreeParams, Manifest>('tree', {
  id: ({ path }) => path,
  sets: ({ path }) => [{ type: 'path', name: path, below: true }],
  affects: 'itself',
  canWaitForPackages: true,
  read: (params) => manifestAt(params),
  diff: (params, have) => {
    const { path, wanted } = params
    const changed = [...wanted].filter(([name, what]) => have.get(name) !== what)
    const strangers = strangersIn(params, have)
    if (changed.length + strangers.length === 0) return undefined
    for (const [name, what] of changed) assertSameType(path, name, what, have.get(name))
    const fields = [
      ...changed.map(([name, what]) => ({ name: name || path, ...before(have.get(name)), to: shown(what) })),
      ...strangers.map((name) => ({ name, from: shown(have.get(name) ?? ''), to: 'absent' })),
    ]
    const more = fields.length - SHOWN
    return {
      action: have.has('') ? 'change' : 'create',
      fields: more > 0 ? [...fields.slice(0, SHOWN), { name: 'more entries', to: String(more) }] : fields,
    }
  },
  apply: (params, have) => {
    const { path, from, wanted, owner, group } = params
    const changed = from.entries.filter(({ path: name }) => have.get(name) !== wanted.get(name))
    const strangers = strangersIn(params, have)
    const at = `${path}${INCOMING}`
    const { plain, executable } = modesOf(params.mode)
    const own = sh`chown -h ${`${owner}:${group}`} ${path} && chmod ${`0${executable}`} ${path}`
    const place = sh`{ rm -rf -- ${at} && (umask 022; mkdir -p -- ${path}) && mkdir -m 0700 -- ${at} && tar -xz --no-same-owner -C ${at} && chown -hR ${`${owner}:${group}`} ${at} &&
find ${at} -type f ! -perm /0111 -exec chmod ${plain} {} + && find ${at} -mindepth 1 \( -type d -o -type f -perm /0111 \) -exec chmod ${`0${executable}`} {} + && sync -f ${at} &&
cd ${at} && find . -mindepth 1 -print0 | sort -z | perl -0ne ${PLACE} ${path} && ${own} && rm -rf -- ${at}; } || { rm -rf -- ${at}; exit 1; }`
    const first = strangers.length > 0 ? [{ script: moveStrangers(path, strangers) }] : []
    if (changed.length === 0) return [...first, { script: sh`mkdir -p -- ${path} && ${own}`, inline: true }]
    const input = archiveOf({ directory: from.path, id: `tree ${digestOf(changed)}`, entries: changed })
    return [...first, { script: place, input, reportsProgress: true }]
  },
  simulate: (params, host) => {
    const { path, from, owner, group } = params
    const { plain, executable } = modesOf(params.mode)
    for (const name of strangersIn(params, fakeManifest(host, params))) removePath(host, `${path}/${name}`)
    putPath(host, path, { type: 'directory', owner, group, mode: executable })
    for (const entry of from.entries) {
      const at = `${path}/${entry.path}`
      if (entry.type === 'directory') putPath(host, at, { type: 'directory', owner, group, mode: executable })
      else if (entry.type === 'link')
        putPath(host, at, { type: 'link', owner, group, mode: '0777', target: entry.target })
      else {
        const content = readFileSync(join(from.path, entry.path))
        putPath(host, at, { type: 'file', owner, group, mode: entry.mode & 0o100 ? executable : plain, content })
      }
    }
  },
})

/** Entries that a plan shows. */
const SHOWN = 20

/** Creates directories and renames files and links to their places. Parents come before their entries. */
const PLACE = `BEGIN { $to = shift @ARGV } chomp; my $path = "$to/$_";
if (-d $_ && !-l $_) {
  -d $path && !-l $path or mkdir $path or die "cannot create $path: $!\\n";
  my @s = stat $_; chown($s[4], $s[5], $path) && chmod($s[2] & 07777, $path) or die "cannot change $path: $!\\n";
} else { rename($_, $path) or die "cannot replace $path: $!\\n" }`

/** Moves entries, with their paths, to the directory for removed files. */
function moveStrangers(path: string, names: readonly string[]): Shell {
  return sh`umask 077; to=${REMOVED}/$(date +%Y%m%dT%H%M%S.%N) && cd ${path} || exit 1
${forPaths(
  names.map((name) => `./${name}`),
  (part) => sh`for name in ${part}; do mkdir -p "$to/\${name%/*}" && mv -- "$name" "$to/$name" || exit 1; done`,
)}`
}

/** The topmost entries of the host that the tree does not have. */
function strangersIn({ exclusive, wanted }: TreeParams, have: Manifest): readonly string[] {
  if (!exclusive) return []
  const strange = [...have.keys()].filter((name) => !wanted.has(name))
  const all = new Set(strange)
  return strange.filter((name) => {
    const cut = name.lastIndexOf('/')
    return cut === -1 || !all.has(name.slice(0, cut))
  })
}

function assertSameType(path: string, name: string, wanted: string, have: string | undefined): void {
  if (have === undefined) return
  const [want, is] = [wanted[0], have[0]]
  if (want === is || (want !== 'd' && is !== 'd' && (is === 'f' || is === 'l'))) return
  const at = name === '' ? path : `${path}/${name}`
  throw new Problem(`${at} is a ${TYPES[is ?? ''] ?? 'device'}, not a ${TYPES[want ?? '']}`, {
    next: 'Move it away on the host, or give the step another path.',
  })
}

const TYPES: Readonly<Record<string, string>> = { f: 'file', d: 'directory', l: 'link', p: 'fifo', s: 'socket' }

function before(what: string | undefined): Pick<FieldChange, 'from'> {
  return what === undefined ? {} : { from: shown(what) }
}

/** `f 0644 root root 1f2e…` as a plan shows it. */
function shown(what: string): string {
  const [type = '', mode, owner, group, ...rest] = what.split(' ')
  const content = type === 'f' ? (rest[0]?.slice(0, 12) ?? '') : rest.join(' ')
  return [TYPES[type] ?? 'device', ...(type === 'l' ? [] : [mode, `${owner}:${group}`]), content]
    .filter(Boolean)
    .join(' ')
}

interface Ownership {
  readonly owner: string
  readonly group: string
  readonly mode: string
}

function modesOf(mode: string) {
  const bits = Number.parseInt(mode, 8)
  const octal = (value: number) => value.toString(8).padStart(4, '0')
  return { plain: octal(bits), executable: octal(bits | ((bits & 0o444) >> 2)) }
}

function manifestOf({ entries }: LocalDirectory, { owner, group, mode }: Ownership): Manifest {
  const { plain, executable } = modesOf(mode)
  const own = `${owner} ${group}`
  return new Map([
    ['', `d ${executable} ${own} `],
    ...entries.map((entry): readonly [string, string] => {
      if (entry.type === 'directory') return [entry.path, `d ${executable} ${own} `]
      if (entry.type === 'link') return [entry.path, `l 0777 ${own} ${entry.target}`]
      return [entry.path, `f ${entry.mode & 0o100 ? executable : plain} ${own} ${entry.sha256}`]
    }),
  ])
}

/** The entries at the path. One script for all trees of a host, which prints a hash for a tree that is equal. */
const manifestAt = batchRead<TreeParams, Manifest>({
  name: 'trees',
  dependsOn: ({ path }) => [path],
  script: (all) => joinLines(all.map(manifestScript)),
  parse: ({ stdout }, all) => {
    const values = stdout.split('\0')
    let at = 0
    return all.map(({ wanted }) => {
      if (values[at++] === hashOf(wanted)) return wanted
      const end = values.indexOf('', at)
      const records = values.slice(at, end === -1 ? undefined : end)
      at = end + 1
      return parsed(records)
    })
  },
  fakeValue: fakeManifest,
})

/** Prints the hash of the sorted records, and if that is not the wanted one, the records and an empty one. */
function manifestScript({ path, exclusive, wanted }: TreeParams): Shell {
  const names = [...wanted.keys()].map((name) => `./${name}`.replace(/\/$/, ''))
  const print = sh`-printf ${'%y %#m %u %g %p//%l\\0'}`
  const below = exclusive
    ? sh`find . ${print} -type f -exec sha256sum -z -- {} +`
    : forPaths(
        names.map((name) => (name === '.' ? '.' : name)),
        (part) => sh`find ${part} -maxdepth 0 ${print} -type f -exec sha256sum -z -- {} +`,
      )
  return sh`( records() {
if [ -d ${path} ] && [ ! -L ${path} ] && cd ${path}; then {
${below}
} | LC_ALL=C sort -z
else find ${path} -maxdepth 0 -printf ${'%y %#m %u %g .//%l\\0'}; fi
} 2>/dev/null
sum=$(records | sha256sum) && printf '%s\0' "\${sum%% *}"
[ "\${sum%% *}" = ${hashOf(wanted)} ] || { records; printf '\0'; } )`
}

/** A record is `TYPE MODE OWNER GROUP ./NAME//TARGET`, or a line of sha256sum. No name contains two slashes. */
function parsed(records: readonly string[]): Manifest {
  const nameOf = (path: string) => path.replace(/^\.\/?/, '')
  const sums = new Map(
    records.filter((one) => /^[0-9a-f]{64} /.test(one)).map((one) => [nameOf(one.slice(66)), one.slice(0, 64)]),
  )
  const entries = records.flatMap((one): readonly (readonly [string, string])[] => {
    const [, head, path = '', target = ''] = /^(\w \d+ \S+ \S+) (.*?)\/\/(.*)$/s.exec(one) ?? []
    const name = nameOf(path)
    return head === undefined ? [] : [[name, `${head} ${head.startsWith('f') ? (sums.get(name) ?? '') : target}`]]
  })
  return new Map(entries)
}

function hashOf(manifest: Manifest): string {
  const records = [...manifest].flatMap(([name, what]) => {
    const [, head = '', rest = ''] = /^(\w \d+ \S+ \S+) (.*)$/s.exec(what) ?? []
    const path = name === '' ? '.' : `./${name}`
    return head.startsWith('f') ? [`${head} ${path}//`, `${rest}  ${path}`] : [`${head} ${path}//${rest}`]
  })
  const hash = createHash('sha256')
  for (const one of records.map((record) => Buffer.from(record)).sort(Buffer.compare)) hash.update(one).update('\0')
  return hash.digest('hex')
}

function fakeManifest({ paths }: FakeState, { path, exclusive, wanted }: TreeParams): Manifest {
  return new Map(
    [...paths].flatMap(
      ([at, { type, mode, owner, group, content, target = '' }]): readonly (readonly [string, string])[] => {
        const name = at === path ? '' : at.slice(path.length + 1)
        if (at !== path && (!at.startsWith(`${path}/`) || !(exclusive || wanted.has(name)))) return []
        const rest = type === 'file' ? sha256(content ?? Buffer.alloc(0)) : target
        return [[name, `${type[0]} ${mode} ${owner} ${group} ${rest}`]]
      },
    ),
  )
}
