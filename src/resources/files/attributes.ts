import { Problem } from '../../model/problem.ts'
import { compare, type FieldChange } from '../../model/resource/diff.ts'
import type { FakePath, FakeState } from '../../model/resource/fake-state.ts'
import { batchRead, known, type Read, readBoth } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { joinLines, type Shell, sh } from '../../shell/sh.ts'
import { checkedMode, checkPath } from '../arguments.ts'
import { type AbsolutePath, type Entry, entryAt, matchOwnership, wrongType } from './stat.ts'

interface AttributesOptions extends StepOptions {
  /** @default it stays as it is */
  readonly owner?: string
  /** @default it stays as it is */
  readonly group?: string
  /**
   * Three or four octal digits. With `recursive`, of the execute bits only those for classes that may read count, and only for directories
   * and for files that some class may execute: `0640` and `0750` both give 0750 to directories and 0640 to plain files.
   * @default it stays as it is
   */
  readonly mode?: string
  /** Everything below a directory too, on its file system. Links are not followed and not changed. @default false */
  readonly recursive?: boolean
}

/**
 * Owner, group and mode of a file or directory that something else creates. Its content does not matter. A path that is missing is a
 * Problem.
 *
 * A recursive step compares all entries on the host in each run. It prints and changes only those that differ.
 *
 * @throws TypeError for an invalid path or mode, and if there is nothing to set
 * @example attributes('/etc/ssl/private/app.key', { group: 'ssl-cert', mode: '0640' })
 * @example attributes('/srv/app/uploads', { owner: 'app', mode: '0640', recursive: true })
 */
export function attributes(
  path: AbsolutePath,
  { owner, group, mode, recursive = false, ...options }: AttributesOptions,
): Step {
  const what = `attributes ${path}`
  checkPath(what, path, { root: !recursive })
  if (owner === undefined && group === undefined && mode === undefined)
    throw new TypeError(`${what}: give an owner, a group or a mode`)
  const checked = mode === undefined ? undefined : checkedMode(what, mode)
  if (recursive && checked !== undefined && !checked.startsWith('0'))
    throw new TypeError(`${what}: a recursive mode has no set-id and sticky bits; those that are set stay`)
  for (const name of [owner, group])
    if (name !== undefined && !/^[\w.$-]+$/.test(name))
      throw new TypeError(`${what}: "${name}" is not a name or number`)
  return attributesStep({ path, owner, group, mode: checked, recursive }, options)
}

interface AttributesParams {
  readonly path: AbsolutePath
  readonly owner: string | undefined
  readonly group: string | undefined
  readonly mode: string | undefined
  readonly recursive: boolean
}

/** The entry at the path, and the entries below it that differ. */
type AttributesState = readonly [Entry | undefined, Differing]

interface Differing {
  readonly count: number
  /** The first ones, below the path. */
  readonly shown: readonly string[]
}

const attributesStep = resource<AttributesParams, AttributesState>('attributes', {
  id: ({ path }) => path,
  affects: 'itself',
  edits: ({ path }) => path,
  read: (params): Read<AttributesState> =>
    readBoth(entryAt({ path: params.path }), params.recursive ? differingBelow(params) : known(NONE)),
  diff: (params, [have, below]) => {
    const { path, owner, group, mode, recursive } = params
    if (!have)
      throw new Problem(`There is nothing at ${path}, so it has no owner and mode`, {
        next: 'Put the step that creates it before this one: file, directory or pkg.',
      })
    if (have.type === 'link') throw wrongType(path, have, 'a file or directory', 'Use that path.')
    if (recursive) {
      if (below.count === 0) return undefined
      const fields = wantedOf(params).map((to): FieldChange => ({ name: 'all entries', to }))
      const entries = below.shown.map((name): FieldChange => ({ name: 'entry', to: name }))
      const more = below.count - below.shown.length
      return {
        action: 'change',
        fields: [...fields, ...entries, ...(more > 0 ? [{ name: 'more entries', to: String(more) }] : [])],
      }
    }
    const wanted = { owner: owner ?? have.owner, group: group ?? have.group }
    return compare({ owner, group, mode }, matchOwnership(have, wanted))
  },
  apply: ({ path, owner, group, mode, recursive }) => {
    if (recursive) return [{ script: changeBelow({ path, owner, group, mode, recursive }) }]
    const own =
      owner === undefined && group === undefined
        ? sh`:`
        : sh`chown ${`${owner ?? ''}${group === undefined ? '' : `:${group}`}`} ${path}`
    // chown clears set-id bits, and chmod removes those of a directory only with a mode of five digits.
    return [{ script: mode === undefined ? own : sh`${own} && chmod ${`0${mode}`} ${path}`, inline: true }]
  },
  simulate: (params, host) => {
    for (const [path, entry] of entriesOf(host, params)) host.paths.set(path, withAttributes(params, entry))
  },
})

const NONE: Differing = { count: 0, shown: [] }

/** Names that a plan shows. */
const SHOWN = 10

function wantedOf({ owner, group, mode }: AttributesParams): readonly string[] {
  return [
    ...(owner === undefined ? [] : [`owner ${owner}`]),
    ...(group === undefined ? [] : [`group ${group}`]),
    ...(mode === undefined ? [] : [`mode ${mode}, execute bits of directories and programs`]),
  ]
}

const differingBelow = batchRead<AttributesParams, Differing>({
  name: 'attributes below',
  dependsOn: ({ path }) => [path],
  script: (all) =>
    joinLines(
      all.map(
        (
          params,
        ) => sh`{ ${namesExist(params)} && find ${params.path} -xdev ! -type l \( ${differs(params)} \) -printf '%P/\0' || echo unknown name; } 2>/dev/null
printf '\0'`,
      ),
    ),
  parse: ({ stdout }, all) => {
    // An empty name ends the entries of a path; the path itself is a slash.
    const groups: string[][] = [[]]
    for (const name of stdout.split('\0').slice(0, -1)) {
      if (name === '') groups.push([])
      else groups.at(-1)?.push(name === '/' ? '.' : name.replace(/\/$/, ''))
    }
    return all.map((_params, i) => ({ count: groups[i]?.length ?? 0, shown: groups[i]?.slice(0, SHOWN) ?? [] }))
  },
  fakeValue: (host, params) => {
    const names = entriesOf(host, params)
      .filter(([, entry]) => !isEqual(entry, withAttributes(params, entry)))
      .map(([path]) => path.slice(params.path.length + 1) || '.')
    return { count: names.length, shown: names.slice(0, SHOWN) }
  },
})

/** An earlier step may create the user: until then everything differs. */
function namesExist({ owner, group }: AttributesParams): Shell {
  const user = owner === undefined ? sh`:` : sh`getent passwd -- ${owner} >/dev/null`
  return group === undefined ? user : sh`${user} && getent group -- ${group} >/dev/null`
}

/** The condition of find for an entry that differs. */
function differs({ owner, group, mode }: AttributesParams): Shell {
  const { plain, executable } = modesOf(mode)
  return [
    ...(owner === undefined ? [] : [sh`! -user ${owner}`]),
    ...(group === undefined ? [] : [sh`! -group ${group}`]),
    ...(mode === undefined
      ? []
      : [sh`\( ${IS_EXECUTABLE} ${isNot(executable)} \) -o \( ! ${IS_EXECUTABLE} ${isNot(plain)} \)`]),
  ].reduce((all, one) => sh`${all} -o ${one}`)
}

const IS_EXECUTABLE = sh`\( -type d -o -perm /0111 \)`

/** Compares all but the set-id and sticky bits. */
function isNot(mode: number): Shell {
  return sh`\( ! -perm ${`-${octal(mode)}`} -o -perm ${`/${octal(0o777 & ~mode)}`} \)`
}

function changeBelow(params: AttributesParams): Shell {
  const { path, owner, group, mode } = params
  const { plain, executable } = modesOf(mode)
  const own =
    owner === undefined && group === undefined ? undefined : `${owner ?? ''}${group === undefined ? '' : `:${group}`}`
  const ownerDiffers = [
    ...(owner === undefined ? [] : [sh`! -user ${owner}`]),
    ...(group === undefined ? [] : [sh`! -group ${group}`]),
  ].reduce((all, one) => sh`${all} -o ${one}`, sh`-false`)
  const find = sh`find ${path} -xdev ! -type l`
  // execdir, so that no parent can be replaced by a link meanwhile.
  const chown = own === undefined ? sh`:` : sh`${find} \( ${ownerDiffers} \) -execdir chown -h -- ${own} {} +`
  if (mode === undefined) return chown
  const symbolic = (bits: number) => `u=${letters(bits >> 6)},g=${letters(bits >> 3)},o=${letters(bits)}`
  return sh`${chown} &&
${find} ${IS_EXECUTABLE} ${isNot(executable)} -execdir chmod -- ${symbolic(executable)} {} + &&
${find} ! ${IS_EXECUTABLE} ${isNot(plain)} -execdir chmod -- ${symbolic(plain)} {} +`
}

function letters(bits: number): string {
  return `${bits & 4 ? 'r' : ''}${bits & 2 ? 'w' : ''}${bits & 1 ? 'x' : ''}`
}

/** The modes of plain files, and of directories and programs. */
function modesOf(mode = '0') {
  const plain = Number.parseInt(mode, 8) & 0o666
  return { plain, executable: plain | ((plain & 0o444) >> 2) }
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}

function entriesOf(
  { paths }: FakeState,
  { path, recursive }: AttributesParams,
): readonly (readonly [string, FakePath])[] {
  return [...paths].filter(
    ([one, { type }]) => one === path || (recursive && type !== 'link' && one.startsWith(`${path}/`)),
  )
}

function withAttributes({ owner, group, mode, recursive }: AttributesParams, entry: FakePath): FakePath {
  const { plain, executable } = modesOf(mode)
  const isExecutable = entry.type === 'directory' || (Number.parseInt(entry.mode, 8) & 0o111) !== 0
  const special = Number.parseInt(entry.mode, 8) & 0o7000
  const wanted = recursive ? octal(special | (isExecutable ? executable : plain)) : mode
  return {
    ...entry,
    owner: owner ?? entry.owner,
    group: group ?? entry.group,
    mode: mode === undefined || wanted === undefined ? entry.mode : wanted,
  }
}

function isEqual(a: FakePath, b: FakePath): boolean {
  return a.owner === b.owner && a.group === b.group && a.mode === b.mode
}
