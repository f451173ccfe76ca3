import { type FakeState, putPath } from '../../model/resource/fake-state.ts'
import { batchRead, type Read } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { forPaths } from '../../shell/script-parts.ts'
import { sh } from '../../shell/sh.ts'
import { checkPath } from '../files/check-path.ts'
import type { AbsolutePath } from '../files/stat.ts'

/**
 * The releases of a program on a host: directories in `<root>/releases`, and a link `<root>/current` to the one in force. When a
 * release was last put in force is the time of its directory; two early times mean something else. A directory with a name that no
 * build has is none of them.
 */
export interface Releases {
  /** The id that `current` leads to, if it leads to one. */
  readonly current: string | undefined
  /**
   * All that are there, the one put in force last first, then those taken out of force, the last one first, then those that never were
   * in force. What is half unpacked is among them; what else people have put there is not.
   */
  readonly all: readonly Release[]
}

/** One of the {@link Releases} on a host. */
export interface Release {
  readonly id: string
  /** Undefined for one that never was in force. */
  readonly state: 'used' | 'withdrawn' | undefined
}

/** The time of what was unpacked and never put in force. */
const NEVER = 0
/** The time of what was taken out of force for another by a person. */
const ROLLED_BACK = 1

/**
 * The question for the releases below a path: what is there, and what is in force.
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
  // A release that is unpacked, or linked to, changes nothing about the others: those that are wanted are known by their names.
  dependsOn: () => [],
  script: (roots) =>
    forPaths(
      roots.flatMap((root) => [`${root}/current`, `${root}/releases`]),
      (paths) => sh`find ${paths} -maxdepth 1 -printf ${'%p\\0%y\\0%l\\0%T@\\0%C@\\0'} 2>/dev/null`,
    ),
  parse: ({ stdout }, roots) => {
    const words = stdout.split('\0')
    const found: Found[] = []
    for (let at = 0; at + FIELDS < words.length; at += FIELDS) {
      const [path = '', type = '', target = '', time = '', touched = ''] = words.slice(at, at + FIELDS)
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

/** Seconds, with a fraction: when a directory was last put in force, and when it was last touched. */
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
        state: Number(time) === NEVER ? undefined : Number(time) === ROLLED_BACK ? 'withdrawn' : 'used',
      })),
  }
}

/** Below zero when the first is the later one. A number holds no nanoseconds beside the seconds. */
function later(a: string, b: string): number {
  const [[seconds = '', fraction = ''], [others = '', otherFraction = '']] = [a.split('.'), b.split('.')]
  return (
    Number(others) - Number(seconds) || (fraction > otherFraction ? -1 : fraction < otherFraction ? 1 : 0)
  )
}

/** An id as {@link build} makes it. */
const BUILD = /^[0-9a-f]{12}(?:\.incoming)?$/

/** The releases of a fake host. */
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
 * Notes that a release is the one in force now. It stands after the step that moves the link and proves that the release works.
 *
 * @example [link('/srv/app/current', { target: 'releases/4f2a90c1b7de' }), markReleaseCurrent('/srv/app', '4f2a90c1b7de')]
 */
export function markReleaseCurrent(root: AbsolutePath, id: string, options: StepOptions = {}): Step {
  checkPath('markReleaseCurrent', root)
  return currentStep({ root, id }, options)
}

const currentStep = resource<ReleaseParams, Releases>('release in force', {
  id: ({ root }) => root,
  affects: 'itself',
  read: ({ root }) => releasesAt(root),
  diff: ({ id }, { current, all }) => {
    const [last] = all
    if (current === id && last?.id === id && last.state === 'used') return undefined
    const from = (current === id ? all.find((one) => one.id !== id && one.state)?.id : current) ?? undefined
    return { action: 'change', fields: [{ name: 'release', ...(from !== undefined && { from }), to: id }] }
  },
  apply: ({ root, id }) => [
    {
      script: sh`[ ${root}/current -ef ${root}/releases/${id} ] && touch ${root}/releases/${id}`,
      inline: true,
    },
  ],
  simulate: (params, host) => {
    const latest = Math.max(ROLLED_BACK, ...[...host.paths.values()].map(({ time = NEVER }) => time))
    if (releasesIn(host, params.root).current === params.id) setFakeTime(host, params, latest + 1)
  },
})

/**
 * Notes that a person has taken a release out of force, so that only a person puts it there again. It stays on the host.
 *
 * @example markReleaseRolledBack('/srv/app', '4f2a90c1b7de')
 */
export function markReleaseRolledBack(root: AbsolutePath, id: string, options: StepOptions = {}): Step {
  checkPath('markReleaseRolledBack', root)
  return rolledBackStep({ root, id }, options)
}

const rolledBackStep = resource<ReleaseParams, Releases>('release withdrawn', {
  id: ({ root, id }) => `${root}/releases/${id}`,
  affects: 'itself',
  read: ({ root }) => releasesAt(root),
  diff: ({ id }, { all }) => {
    const found = all.find((one) => one.id === id)
    if (!found || found.state === 'withdrawn') return undefined
    return { action: 'change', fields: [{ name: 'state', from: 'in use', to: 'withdrawn' }] }
  },
  apply: ({ root, id }) => [{ script: sh`touch -d @${ROLLED_BACK} ${root}/releases/${id}`, inline: true }],
  simulate: (params, host) => setFakeTime(host, params, ROLLED_BACK),
})
