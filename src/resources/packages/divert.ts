import { Problem } from '../../model/problem.ts'
import { compare, type Diff } from '../../model/resource/diff.ts'
import type { FakeState } from '../../model/resource/fake-state.ts'
import { batchRead } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { checkPath } from '../arguments.ts'
import { moveToRemoved } from '../files/staging.ts'
import type { AbsolutePath } from '../files/stat.ts'

interface DivertOptions extends StepOptions {
  /** The path that packages use instead. @default the path with `.distrib` */
  readonly to?: AbsolutePath
}

/**
 * A diversion of dpkg: packages install their file at another path, so an own file at this path survives each upgrade. The file of the package
 * is moved. Put the step that writes the own file after it.
 *
 * `dpkgDivert.absent(path)` removes the diversion and moves the file back. An own file at the path is moved to `/var/lib/provision/removed`.
 *
 * @throws TypeError for an invalid path, and for a path that is diverted to itself
 * @throws Problem (on the host) for a diversion of a package
 * @example [dpkgDivert('/usr/bin/man'), link('/usr/bin/man', { target: '/usr/local/bin/man' })]
 */
export function dpkgDivert(path: AbsolutePath, { to = `${path}.distrib`, ...options }: DivertOptions = {}): Step {
  checkPath(`dpkgDivert ${path}`, path)
  checkPath(`dpkgDivert ${path}: to`, to)
  if (path === to) throw new TypeError(`dpkgDivert ${path}: the path is diverted to itself`)
  return divertStep({ path, to }, options)
}

dpkgDivert.absent = (path: AbsolutePath, options: StepOptions = {}): Step => {
  checkPath(`dpkgDivert.absent ${path}`, path)
  return divertStep({ path, to: undefined }, options)
}

interface DivertParams {
  readonly path: AbsolutePath
  /** Undefined if there should be no diversion. */
  readonly to: AbsolutePath | undefined
}

interface Diversion {
  readonly to: string
  /** The package that has made it; `:` for the administrator. */
  readonly owner: string
}

/** The database of dpkg has three lines for each diversion. */
const diversionOf = batchRead<string, Diversion | undefined>({
  name: 'diversions',
  dependsOn: (path) => [path, `/var/lib/dpkg/diversions${path}`],
  shared: true,
  script: () =>
    sh`[ ! -r /var/lib/dpkg/diversions ] || while IFS= read -r line; do printf '%s\n' "$line"; done </var/lib/dpkg/diversions`,
  parse: ({ stdout }, paths) => {
    const lines = stdout.split('\n')
    return paths.map((path) => {
      const at = lines.findIndex((line, i) => i % 3 === 0 && line === path)
      const [to, owner] = [lines[at + 1], lines[at + 2]]
      return at === -1 || to === undefined || owner === undefined ? undefined : { to, owner }
    })
  },
  fakeValue: ({ values }, path) => {
    const to = values.get(keyOf(path))
    return to === undefined ? undefined : { to, owner: ':' }
  },
})

function keyOf(path: string): string {
  return `diversion of ${path}`
}

const divertStep = resource<DivertParams, Diversion | undefined>('diversion', {
  id: ({ path }) => path,
  platforms: ['debian'],
  affects: 'itself',
  sets: ({ path }) => [{ type: 'path', name: path }],
  read: ({ path }) => diversionOf(path),
  diff: ({ path, to }, have): Diff | undefined => {
    if (have && have.owner !== ':' && have.to !== to)
      throw new Problem(`The package ${have.owner} diverts ${path} to ${have.to}`, {
        next: 'Leave the step out, or remove that package in a step before it.',
      })
    if (to !== undefined) return compare<{ readonly to: string }>({ to }, have)
    return have && { action: 'remove', fields: [{ name: 'to', from: have.to, to: 'absent' }] }
  },
  apply: ({ path, to }, have) => [{ script: divert(path, have?.to, to), explain }],
  simulate: ({ path, to }, host) => {
    move(host, host.values.get(keyOf(path)) ?? path, to ?? path)
    if (to === undefined) host.values.delete(keyOf(path))
    else host.values.set(keyOf(path), to)
  },
})

/** The own file at the path stays, unless the file of the package comes back. */
function divert(path: string, from: string | undefined, to: string | undefined): Shell {
  const add = sh`dpkg-divert --quiet --local ${from === undefined ? '--rename' : '--no-rename'} --divert ${to ?? ''} --add ${path}`
  if (from === undefined) return add
  if (to !== undefined)
    return sh`{ [ ! -e ${to} ] || { echo ${`${to} exists`} >&2; false; }; } &&
dpkg-divert --quiet --local --no-rename --remove ${path} && { [ ! -e ${from} ] || mv -T ${from} ${to}; } && ${add}`
  return sh`{ [ ! -e ${from} ] || [ ! -e ${path} ] || (${moveToRemoved(path)}); } && dpkg-divert --quiet --local --rename --remove ${path}`
}

function move({ paths }: FakeState, from: string, to: string): void {
  const entry = paths.get(from)
  if (!entry) return
  paths.delete(from)
  paths.set(to, entry)
}

function explain(stderr: string) {
  if (!/rename involves overwriting/.test(stderr)) return undefined
  return { what: 'both paths have a file, and they differ', next: 'Remove one of them on the host.' }
}
