import { type FakeState, putPath } from '../../model/resource/fake-state.ts'
import { batchRead, type Read } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { forPaths, sh } from '../../shell/sh.ts'
import { checkPath } from '../arguments.ts'
import type { AbsolutePath } from '../files/stat.ts'

/**
 * The releases of a program on a host: directories in `<root>/releases` and a link `<root>/current` to the current one. The modification
 * time of a directory is the time when it last became current; two early times are marks. Directories with other names are ignored.
 */
export interface Releases {
  /** The id of the current release; undefined if there is none. */
  readonly current: string | undefined
  /** All releases, incomplete ones included: first those that were current, latest first, then rolled-back ones, then unused ones. */
  readonly all: readonly Release[]
}

/** A release on a host. */
export interface Release {
  readonly id: string
  /** Undefined for a release that was never current. */
  readonly state: 'used' | 'rolled back' | undefined
}

/** The time of a release that was never current. */
const NEVER = 0
/** The time of a release that was rolled back. */
const ROLLED_BACK = 1

/**
 * Reads the releases below a path.
 *
 * @example ask('its releases', releasesAt('/srv/app'))
 */
export function releasesAt(root: AbsolutePath): Read<Releases> {
  return releasesBelow(root)
}

/** One `find` for all roots of a host. */
const releasesBelow = batchRead<AbsolutePath, Releases>({
  name: 'releases',
  shared: true,
  // Unpacking or linking a release does not change the others.
  dependsOn: () => [],
  script: (roots) =>
    forPaths(
      roots.flatMap((root) => [`${root}/current`, `${root}/releases`]),
      (paths) => sh`find ${paths} -maxdepth 1 -printf ${'%p\\0%y\\0%l\\0%T@\\0%C@\\0'} 2>/dev/null`,
    ),
  parse: ({ stdout }, roots) => {
    const values = stdout.split('\0')
    const found: Found[] = []
    for (let at = 0; at + FIELDS < values.length; at += FIELDS) {
      const [path = '', type = '', target = '', time = '', touched = ''] = values.slice(at, at + FIELDS)
      found.push({ path, type, target, time, touched })
    }
    return roots.map((root) => {
      const link = found.find(({ path, type }) => path === `${root}/current` && type === 'l')
      const below = `${root}/releases/`
      const directories = found.filter(({ path, type }) => path.startsWith(below) && type === 'd')
      return releasesOf(
        link?.target,
        directories.map(({ path, ...times }) => ({ ...times, id: path.slice(below.length) })),
      )
    })
  },
  fakeValue: (host, root) => releasesIn(host, root),
})

interface Found extends Times {
  readonly path: string
  readonly type: string
  readonly target: string
}

/** Modification and change time of a directory in seconds, with a fraction. */
interface Times {
  readonly time: string
  readonly touched: string
}

const FIELDS = 5

function releasesOf(target: string | undefined, directories: readonly (Times & { id: string })[]): Releases {
  return {
    current: target?.slice(target.lastIndexOf('/') + 1),
    all: directories
      .filter(({ id }) => BUILD.test(id))
      .sort((a, b) => later(a.time, b.time) || later(a.touched, b.touched) || (a.id < b.id ? -1 : 1))
      .map(({ id, time }) => ({
        id,
        state: Number(time) === NEVER ? undefined : Number(time) === ROLLED_BACK ? 'rolled back' : 'used',
      })),
  }
}

/** Negative if the first time is later. Compares fractions as text: a number has no room for nanoseconds. */
function later(a: string, b: string): number {
  const [[seconds = '', fraction = ''], [others = '', otherFraction = '']] = [a.split('.'), b.split('.')]
  return Number(others) - Number(seconds) || (fraction > otherFraction ? -1 : fraction < otherFraction ? 1 : 0)
}

/** An id of {@link build}, or of an incomplete release. */
const BUILD = /^[0-9a-f]{12}(?:\.incoming)?$/

export function releasesIn({ paths }: FakeState, root: AbsolutePath): Releases {
  const below = `${root}/releases/`
  const directories = [...paths]
    .filter(([path, { type }]) => path.startsWith(below) && type === 'directory')
    .map(([path, { time = NEVER }]) => ({ id: path.slice(below.length), time: String(time), touched: '0' }))
  return releasesOf(paths.get(`${root}/current`)?.target, directories)
}

function setFakeTime(host: FakeState, { root, id }: ReleaseParams, time: number): void {
  const path = `${root}/releases/${id}`
  const entry = host.paths.get(path)
  if (entry) putPath(host, path, { ...entry, time })
}

interface ReleaseParams {
  readonly root: AbsolutePath
  readonly id: string
}

/**
 * Marks a release as the current one. Place it after the step that changes the link and checks the release.
 *
 * @throws TypeError for an invalid path
 *
 * @example [link('/srv/app/current', { target: 'releases/4f2a90c1b7de' }), markReleaseCurrent('/srv/app', '4f2a90c1b7de')]
 */
export function markReleaseCurrent(root: AbsolutePath, id: string, options: StepOptions = {}): Step {
  checkPath('markReleaseCurrent', root)
  return currentStep({ root, id }, options)
}

const currentStep = resource<ReleaseParams, Releases>('current release', {
  id: ({ root }) => root,
  sets: ({ root }) => [{ type: 'path', name: `${root}/current` }],
  affects: 'itself',
  read: ({ root }) => releasesAt(root),
  diff: ({ id }, { current, all }) => {
    const [last] = all
    if (current === id && last?.id === id && last.state === 'used') return undefined
    const from = (current === id ? all.find((one) => one.id !== id && one.state)?.id : current) ?? undefined
    return { action: 'change', fields: [{ name: 'release', ...(from !== undefined && { from }), to: id }] }
  },
  apply: ({ root, id }) => [
    { script: sh`[ ${root}/current -ef ${root}/releases/${id} ] && touch ${root}/releases/${id}`, inline: true },
  ],
  simulate: (params, host) => {
    const latest = Math.max(ROLLED_BACK, ...[...host.paths.values()].map(({ time = NEVER }) => time))
    if (releasesIn(host, params.root).current === params.id) setFakeTime(host, params, latest + 1)
  },
})

/**
 * Marks a release as rolled back, so that it becomes current again only on request. It stays on the host.
 *
 * @throws TypeError for an invalid path
 *
 * @example markReleaseRolledBack('/srv/app', '4f2a90c1b7de')
 */
export function markReleaseRolledBack(root: AbsolutePath, id: string, options: StepOptions = {}): Step {
  checkPath('markReleaseRolledBack', root)
  return rolledBackStep({ root, id }, options)
}

const rolledBackStep = resource<ReleaseParams, Releases>('rolled-back release', {
  id: ({ root, id }) => `${root}/releases/${id}`,
  affects: 'itself',
  read: ({ root }) => releasesAt(root),
  diff: ({ id }, { all }) => {
    const found = all.find((one) => one.id === id)
    if (!found || found.state === 'rolled back') return undefined
    return { action: 'change', fields: [{ name: 'state', from: 'used', to: 'rolled back' }] }
  },
  apply: ({ root, id }) => [{ script: sh`touch -d @${ROLLED_BACK} ${root}/releases/${id}`, inline: true }],
  simulate: (params, host) => setFakeTime(host, params, ROLLED_BACK),
})
