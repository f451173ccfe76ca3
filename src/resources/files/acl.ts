import { Problem } from '../../model/problem.ts'
import type { FieldChange } from '../../model/resource/diff.ts'
import { batchRead } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { forPaths, sh } from '../../shell/sh.ts'
import { checkPath } from '../arguments.ts'
import type { AbsolutePath } from './stat.ts'

type Who = `user:${string}` | `group:${string}`

/** A user or group, as `setfacl` writes it; with `default:` for the files that are created in a directory later. */
export type AclName = Who | `default:${Who}`

/** Options of {@link acl}. */
export interface AclOptions extends StepOptions {
  /** Names whose entries are removed. @default none */
  readonly absent?: readonly AclName[]
  /** Removes the entries of all other names. @default false */
  readonly exclusive?: boolean
}

/**
 * Rights of further users and groups on an existing file or directory. The package acl must be installed, and the users must exist.
 *
 * The group bits of the mode are the mask of these rights: `file` and `attributes` with a mode of `0640` limit each entry to `r--`. Set a mode
 * whose group bits have all rights of the entries.
 *
 * @param entries the rights by name: some of `r`, `w` and `x`
 * @throws TypeError for an invalid name or rights, and for a name that is both wanted and absent
 * @throws Problem (on the host) for a path that does not exist, and without the package acl
 * @example acl('/var/log/app', { 'user:promtail': 'rx', 'default:user:promtail': 'r' })
 */
export function acl(
  path: AbsolutePath,
  entries: Readonly<Partial<Record<AclName, string>>>,
  { absent = [], exclusive = false, ...options }: AclOptions = {},
): Step {
  const what = `acl ${path}`
  checkPath(what, path, { root: true })
  const wanted = new Map(Object.entries(entries).map(([name, rights = '']) => [name, rightsOf(what, rights)] as const))
  for (const name of [...wanted.keys(), ...absent])
    if (!NAME.test(name))
      throw new TypeError(`${what}: "${name}" is not a name such as user:ana, group:staff or default:user:ana`)
  const both = absent.find((name) => wanted.has(name))
  if (both !== undefined) throw new TypeError(`${what}: ${both} is both wanted and absent`)
  return aclStep({ path, wanted, absent, exclusive }, options)
}

const NAME = /^(?:default:)?(?:user|group):[^\s:,]+$/

/** `r-x` of `rx`. */
function rightsOf(what: string, rights: string): string {
  if (rights === '' || /[^rwx-]/.test(rights) || [...'rwx'].some((one) => rights.split(one).length > 2))
    throw new TypeError(`${what}: the rights "${rights}" are not some of r, w and x; list the name in absent for none`)
  return [...'rwx'].map((one) => (rights.includes(one) ? one : '-')).join('')
}

interface AclParams {
  readonly path: AbsolutePath
  readonly wanted: ReadonlyMap<string, string>
  readonly absent: readonly string[]
  readonly exclusive: boolean
}

/** The entries of a path; undefined for one that does not exist. */
type Entries = ReadonlyMap<string, string> | undefined

type AclState = Entries | 'no getfacl'

/** One `getfacl` for all paths of a host. */
const entriesAt = batchRead<string, AclState>({
  name: 'access control lists',
  dependsOn: (path) => [path],
  shared: true,
  script: (paths) =>
    sh`if command -v getfacl >/dev/null; then
${forPaths(paths, (part) => sh`getfacl -p -E -- ${part} 2>/dev/null`)}else
  echo 'no getfacl'
fi`,
  parse: ({ stdout }, paths) => {
    if (stdout.trim() === 'no getfacl') return paths.map(() => 'no getfacl')
    const found = new Map(
      stdout.split('\n\n').flatMap((text) => {
        const lines = text.split('\n')
        const path = lines.find((line) => line.startsWith('# file: '))?.slice('# file: '.length)
        return path === undefined ? [] : [[unescaped(path), entriesIn(lines)] as const]
      }),
    )
    return paths.map((path) => found.get(path))
  },
  fakeValue: ({ paths, values }, path) =>
    paths.has(path) ? entriesIn((values.get(`acl of ${path}`) ?? '').split('\n')) : undefined,
})

/** getfacl writes a space and a backslash in octal. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}

/** The rights by name; the owner is `user:`, the mask `mask:`. */
function entriesIn(lines: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    lines.flatMap((line) => {
      const [, name, rights] = /^((?:default:)?(?:user|group|mask|other):.*):([r-][w-][x-])$/.exec(line) ?? []
      return name === undefined || rights === undefined ? [] : [[name, rights] as const]
    }),
  )
}

const aclStep = resource<AclParams, AclState>('acl', {
  id: ({ path }) => path,
  sets: ({ path }) => [{ type: 'path', name: path }],
  affects: 'itself',
  read: ({ path }) => entriesAt(path),
  diff: (params, have) => {
    const fields = have === 'no getfacl' ? [] : fieldsOf(params, have)
    if (have === 'no getfacl' || !have)
      return {
        action: 'change',
        fields: fieldsOf(params, undefined),
        problem: have
          ? noProgram()
          : new Problem(`There is nothing at ${params.path}, so it has no access control list`),
      }
    return fields.length === 0 ? undefined : { action: 'change', fields }
  },
  apply: (params, have) => {
    if (have === 'no getfacl' || !have) return []
    const gone = unwanted(params, have)
    const changes = [...params.wanted].filter(([name, rights]) => effective(name, have) !== rights)
    // setfacl computes a mask that has all rights of the entries.
    const set = changes.length === 0 ? sh`` : sh`-m ${changes.map(([name, rights]) => `${name}:${rights}`).join(',')}`
    const remove = gone.length === 0 ? sh`` : sh`-x ${gone.join(',')}`
    return [{ script: sh`setfacl ${set} ${remove} -- ${params.path}`, explain: explainAcl }]
  },
  simulate: ({ path, wanted, ...rest }, { values }) => {
    const entries = new Map(entriesIn((values.get(`acl of ${path}`) ?? '').split('\n')))
    for (const name of unwanted({ path, wanted, ...rest }, entries)) entries.delete(name)
    for (const [name, rights] of wanted) entries.set(name, rights)
    values.set(`acl of ${path}`, [...entries].map(([name, rights]) => `${name}:${rights}`).join('\n'))
  },
})

function fieldsOf(params: AclParams, have: Entries): readonly FieldChange[] {
  const set = [...params.wanted].flatMap(([name, to]): readonly FieldChange[] => {
    const from = have && effective(name, have)
    return from === to ? [] : [{ name, ...(from !== undefined && { from }), to }]
  })
  const gone = have ? unwanted(params, have) : []
  return [...set, ...gone.map((name) => ({ name, from: have?.get(name) ?? '', to: 'absent' }))]
}

/** The rights of an entry within the mask. */
function effective(name: string, have: ReadonlyMap<string, string>): string | undefined {
  const rights = have.get(name)
  const mask = have.get(name.startsWith('default:') ? 'default:mask:' : 'mask:') ?? 'rwx'
  return rights && [...rights].map((one, i) => (mask[i] === '-' ? '-' : one)).join('')
}

/** The names whose entries are to go. */
function unwanted({ wanted, absent, exclusive }: AclParams, have: ReadonlyMap<string, string>): readonly string[] {
  return [...have.keys()].filter((name) => absent.includes(name) || (exclusive && NAME.test(name) && !wanted.has(name)))
}

function noProgram(): Problem {
  return new Problem('The package acl is not installed', { next: "Put pkg('acl') before this step." })
}

function explainAcl(stderr: string) {
  if (/Operation not supported/.test(stderr))
    return { what: 'its file system has no access control lists', next: 'Mount it with the option acl, or use groups.' }
  const [, option] = /Option -m: Invalid argument near character (\d+)/.exec(stderr) ?? []
  if (option === undefined) return undefined
  return { what: 'the host does not have one of the users or groups', next: 'Add it in a step before this one.' }
}
