import { type Answer, type Read, read } from '../model/read.ts'
import { place, type Sketch } from '../model/sketch.ts'
import { resource, type Step, type StepOptions } from '../model/step.ts'
import { sh } from '../shell/sh.ts'
import type { AbsolutePath } from './paths.ts'

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
const WITHDRAWN = 1

/**
 * The question for the releases below a path: what is there, and what is in force.
 *
 * @example ask('its releases', releasesAt('/srv/app'))
 */
export function releasesAt(root: AbsolutePath): Read<Releases> {
  return read(
    sh`readlink ${root}/current || echo
find ${root}/releases -mindepth 1 -maxdepth 1 -type d -printf '%T@ %C@ %f\n' 2>/dev/null | sort -k1,1rn -k2,2rn`,
    releasesOf,
    // A release that is unpacked, or linked to, changes nothing about the others: those that are wanted are known by their names.
    { dependsOn: [], sketched: (host) => releasesIn(host, root) },
  )
}

function releasesOf({ stdout }: Pick<Answer, 'stdout'>): Releases {
  const [target = '', ...lines] = stdout.split('\n')
  return {
    current: target === '' ? undefined : target.slice(target.lastIndexOf('/') + 1),
    all: lines.flatMap((line) => parsed(line) ?? []),
  }
}

function parsed(line: string): Release | undefined {
  const [, time, id] = RELEASE.exec(line) ?? []
  if (id === undefined) return undefined
  return { id, state: Number(time) === NEVER ? undefined : Number(time) === WITHDRAWN ? 'withdrawn' : 'used' }
}

/** When it was put in force, when it was last touched, and its id as {@link build} makes it. */
const RELEASE = /^(\S+) \S+ ([0-9a-f]{12}(?:\.incoming)?)$/

/** The releases of a fake host. */
export function releasesIn({ paths }: Sketch, root: AbsolutePath): Releases {
  const below = `${root}/releases/`
  const lines = [...paths]
    .filter(([path, { type }]) => path.startsWith(below) && type === 'directory')
    .sort(([, a], [, b]) => (b.time ?? NEVER) - (a.time ?? NEVER))
    .map(([path, { time = NEVER }]) => `${time} 0 ${path.slice(below.length)}`)
  return releasesOf({ stdout: [paths.get(`${root}/current`)?.target ?? '', ...lines].join('\n') })
}

function sketchTime(host: Sketch, { root, id }: Marked, time: number): void {
  const path = `${root}/releases/${id}`
  const entry = host.paths.get(path)
  if (entry) place(host, path, { ...entry, time })
}

interface Marked {
  readonly root: AbsolutePath
  readonly id: string
}

/**
 * Notes that a release is the one in force now. It stands after the step that moves the link and proves that the release works.
 *
 * @example [link('/srv/app/current', { target: 'releases/4f2a90c1b7de' }), releaseInForce('/srv/app', '4f2a90c1b7de')]
 */
export function releaseInForce(root: AbsolutePath, id: string, options: StepOptions = {}): Step {
  return inForceStep({ root, id }, options)
}

const inForceStep = resource<Marked, Releases>('release in force', {
  id: ({ root }) => root,
  reach: 'own',
  read: ({ root }) => releasesAt(root),
  diff: ({ id }, { current, all }) => {
    const [last] = all
    if (current === id && last?.id === id && last.state === 'used') return undefined
    const from = (current === id ? all.find((one) => one.id !== id && one.state)?.id : current) ?? undefined
    return { verb: 'change', fields: [{ name: 'release', ...(from !== undefined && { from }), to: id }] }
  },
  apply: ({ root, id }) => [
    {
      script: sh`[ ${root}/current -ef ${root}/releases/${id} ] && touch ${root}/releases/${id}`,
      inline: true,
    },
  ],
  becomes: (params, host) => {
    const latest = Math.max(WITHDRAWN, ...[...host.paths.values()].map(({ time = NEVER }) => time))
    if (releasesIn(host, params.root).current === params.id) sketchTime(host, params, latest + 1)
  },
})

/**
 * Notes that a person has taken a release out of force, so that only a person puts it there again. It stays on the host.
 *
 * @example releaseWithdrawn('/srv/app', '4f2a90c1b7de')
 */
export function releaseWithdrawn(root: AbsolutePath, id: string, options: StepOptions = {}): Step {
  return withdrawnStep({ root, id }, options)
}

const withdrawnStep = resource<Marked, Releases>('release withdrawn', {
  id: ({ root, id }) => `${root}/releases/${id}`,
  reach: 'own',
  read: ({ root }) => releasesAt(root),
  diff: ({ id }, { all }) => {
    const found = all.find((one) => one.id === id)
    if (!found || found.state === 'withdrawn') return undefined
    return { verb: 'change', fields: [{ name: 'state', from: 'in use', to: 'withdrawn' }] }
  },
  apply: ({ root, id }) => [{ script: sh`touch -d @${WITHDRAWN} ${root}/releases/${id}`, inline: true }],
  becomes: (params, host) => sketchTime(host, params, WITHDRAWN),
})
