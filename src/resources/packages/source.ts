import { Problem } from '../../model/problem.ts'
import type { Diff } from '../../model/resource/diff.ts'
import { putPath } from '../../model/resource/fake-state.ts'
import { readAll, readBoth } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { checkPath } from '../arguments.ts'
import { bytesOf, type FileParams, LocalFile, sizeOf } from '../files/content.ts'
import { writeFile } from '../files/file.ts'
import { fileDiff } from '../files/file-diff.ts'
import { type AbsolutePath, type Entry, entryAt } from '../files/stat.ts'
import { explainAptError } from './apt-errors.ts'
import { recordRefresh, tryRefresh } from './source-refresh.ts'
import { lookAtSources, type SourceState, sourceState } from './source-state.ts'

type Key = string | Uint8Array | LocalFile

/** The options of `aptSource`. */
export type AptSourceOptions = StepOptions & {
  /** The address of the repository, or several with the same content. */
  readonly uri: string | readonly string[]
  /** Releases: `bookworm`, `nodistro`. One that ends with a slash is a path below the address, without components. */
  readonly suites: string | readonly string[]
  /** @default 'main' */
  readonly components?: string | readonly string[]
  /** Debian names of architectures. @default those of the host */
  readonly architectures?: readonly string[]
  /** True to add the source code of the packages. @default false */
  readonly sourceCode?: boolean
} & (
    | {
        /**
         * The public keys that may sign the repository: armored text, or the bytes of a binary key. They are kept in `/etc/apt/keyrings`
         * and count for this source alone.
         */
        readonly key: Key | readonly Key[]
        readonly signedBy?: never
      }
    | {
        /** A key that the host already has: `/usr/share/keyrings/debian-archive-keyring.gpg`. */
        readonly signedBy: AbsolutePath
        readonly key?: never
      }
  )

/**
 * A source of packages in `/etc/apt/sources.list.d/NAME.sources`. Before the files are replaced, apt fetches the lists of this source alone
 * and checks their signature: a source that does not work changes nothing. Later package steps see its packages.
 *
 * @throws TypeError for an invalid name or key
 * @throws Problem if another file of the host has the same source
 * @example
 * aptSource('vendor', {
 *   uri: 'https://packages.example.com/debian',
 *   suites: 'stable',
 *   key: '-----BEGIN PGP PUBLIC KEY BLOCK-----\n…',
 * })
 */
export function aptSource(name: string, { key, signedBy, ...source }: AptSourceOptions): Step {
  const what = `aptSource ${name}`
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name))
    throw new TypeError(
      `${what}: a name has only letters, digits, dots, underscores and hyphens, or apt ignores the file`,
    )
  if (signedBy !== undefined) checkPath(`${what}: signedBy`, signedBy)
  const keys = key === undefined ? [] : listOf<Key>(key).map((one, i) => keyFile(what, name, one, i))
  const signers = signedBy === undefined ? keys.map(({ path }) => path) : [signedBy]
  const { uri, suites, components, architectures, sourceCode, ...options } = source
  const text = sourceText(what, source)
  const uris = listOf(uri)
  return sourceStep({ name, keys, signers, text, uris, suites: listOf(suites) }, options)
}

interface SourceParams {
  readonly name: string
  readonly keys: readonly FileParams[]
  readonly signers: readonly string[]
  /** The deb822 text without `Signed-By`. */
  readonly text: string
  readonly uris: readonly string[]
  readonly suites: readonly string[]
}

type Have = readonly [readonly (Entry | undefined)[], SourceState]

const sourceStep = resource<SourceParams, Have>('apt source', {
  id: ({ name }) => name,
  platforms: ['debian'],
  sets: (params) => filesOf(params).map(({ path }) => ({ type: 'path', name: path })),
  affects: 'itself',
  prepare: async ({ keys }) => {
    for (const { content } of keys) if (content instanceof LocalFile) await content.hash()
  },
  read: (params) =>
    readBoth(
      readAll(filesOf(params).map(({ path, content }) => entryAt({ path, content: () => sizeOf(content) }))),
      sourceState(params.name),
    ),
  diff: (params, [entries, state]): Diff | undefined => {
    const found = filesOf(params).map((file, i) => ({ file, diff: fileDiff(file, entries[i]) }))
    const differing = found.flatMap(({ file, diff }) => (diff ? [{ file, diff }] : []))
    if (differing.length === 0 && state.refreshed) return undefined
    const other = lookAtSources(params, state.files)
    const fields = differing.flatMap(({ file, diff }) =>
      diff.fields.map((field) => ({ ...field, name: `${file.path} ${field.name}` })),
    )
    return {
      action: entries.at(-1) ? 'change' : 'create',
      fields: state.refreshed
        ? fields
        : [...fields, { name: 'lists', from: 'older than the source', to: 'up to date' }],
      texts: differing.flatMap(({ diff }) => diff.texts ?? []),
      ...(other !== undefined && { problem: sameSource(other, params) }),
    }
  },
  apply: (params, [entries]) => [
    { script: tryRefresh(params, LOCK_TIMEOUT), reportsProgress: true, explain: (stderr) => explainAptError(stderr) },
    ...filesOf(params).flatMap((file, i) => (fileDiff(file, entries[i]) ? writeFile(file, entries[i]) : [])),
    { script: recordRefresh(params.name), inline: true },
  ],
  simulate: (params, host) => {
    for (const { path, content, owner, group, mode } of filesOf(params))
      putPath(host, path, { type: 'file', owner, group, mode, content: bytesOf(content) })
    host.values.set(`lists of ${params.name}`, 'up to date')
  },
})

/** Seconds to wait for other package managers. */
const LOCK_TIMEOUT = 600

/** The keys, then the source: it is never there without them. */
function filesOf({ name, keys, signers, text }: SourceParams): readonly FileParams[] {
  const content = `${text}Signed-By: ${signers.join(' ')}\n`
  return [...keys, rootFile(`/etc/apt/sources.list.d/${name}.sources`, content)]
}

/** The user `_apt` reads it. */
function rootFile(path: string, content: string | Uint8Array): FileParams {
  return { path, content, owner: 'root', group: 'root', mode: '0644' }
}

/** apt takes a file for armored text if its name ends with `.asc`. */
function keyFile(what: string, name: string, key: Key, i: number): FileParams {
  const bytes = key instanceof LocalFile ? key.read() : Buffer.from(key)
  const text = bytes.toString('latin1')
  if (text.includes('PRIVATE KEY BLOCK'))
    throw new TypeError(`${what}: the key is a private key: export the public one`)
  const isArmored = text.trimStart().startsWith('-----BEGIN PGP PUBLIC KEY BLOCK-----')
  // The first byte of a binary key is the tag of a public key packet.
  if (!isArmored && ![0x98, 0x99, 0xc6].includes(bytes[0] ?? 0))
    throw new TypeError(`${what}: the key is neither an armored nor a binary public key of OpenPGP`)
  const file = `/etc/apt/keyrings/${name}${i === 0 ? '' : `-${i + 1}`}.${isArmored ? 'asc' : 'gpg'}`
  return rootFile(file, isArmored ? text : bytes)
}

function sourceText(
  what: string,
  {
    uri,
    suites,
    components = 'main',
    architectures = [],
    sourceCode = false,
  }: Pick<AptSourceOptions, 'uri' | 'suites' | 'components' | 'architectures' | 'sourceCode'>,
): string {
  const isFlat = listOf(suites).every((suite) => suite.endsWith('/'))
  const fields: readonly (readonly [string, readonly string[]])[] = [
    ['Types', sourceCode ? ['deb', 'deb-src'] : ['deb']],
    ['URIs', listOf(uri)],
    ['Suites', listOf(suites)],
    ['Components', isFlat ? [] : listOf(components)],
    ['Architectures', architectures],
  ]
  for (const [field, values] of fields)
    for (const value of values)
      if (!/^[^\s#]+$/.test(value)) throw new TypeError(`${what}: "${value}" is not one word, for ${field}`)
  return fields.flatMap(([field, values]) => (values.length === 0 ? [] : [`${field}: ${values.join(' ')}\n`])).join('')
}

function listOf<T>(value: T | readonly T[]): readonly T[] {
  return isList(value) ? value : [value]
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value)
}

function sameSource(other: string, { uris, suites }: SourceParams): Problem {
  return new Problem(`${other} has the same source: ${uris[0]} ${suites[0]}`, {
    next: `Remove it in a step before this one: absent('${other}'). apt reads no source at all while two have different keys.`,
  })
}
