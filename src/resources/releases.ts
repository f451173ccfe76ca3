import { type Read, read } from '../model/read.ts'
import { resource, type Step, type StepOptions } from '../model/step.ts'
import { sh } from '../shell/sh.ts'
import type { AbsolutePath } from './paths.ts'

/**
 * The releases of a program on a host: directories in `<root>/releases`, and a link `<root>/current` to the one in force. When a
 * release was last put in force is the time of its directory; two early times mean something else.
 */
export interface Releases {
  /** The id that `current` leads to, if it leads to one. */
  readonly current: string | undefined
  /** All that are there, the one put in force last first, those that never were last. What is half unpacked is among them. */
  readonly all: readonly Release[]
}

export interface Release {
  readonly id: string
  /** Undefined for one that never was in force. */
  readonly state: 'used' | 'withdrawn' | undefined
}

/** The time of what was unpacked and never put in force. */
const NEVER = 0
/** The time of what was taken out of force for another by a person. */
const WITHDRAWN = 1

export function releasesAt(root: AbsolutePath): Read<Releases> {
  return read(
    sh`readlink ${root}/current || echo
find ${root}/releases -mindepth 1 -maxdepth 1 -type d -printf '%T@ %f\n' 2>/dev/null | sort -rn`,
    ({ stdout }) => {
      const [target = '', ...lines] = stdout.split('\n')
      return {
        current: target === '' ? undefined : target.slice(target.lastIndexOf('/') + 1),
        all: lines.filter((line) => line !== '').map(parsed),
      }
    },
  )
}

function parsed(line: string): Release {
  const time = Number(line.slice(0, line.indexOf(' ')))
  return {
    id: line.slice(line.indexOf(' ') + 1),
    state: time === NEVER ? undefined : time === WITHDRAWN ? 'withdrawn' : 'used',
  }
}

interface Marked {
  readonly root: AbsolutePath
  readonly id: string
}

/** Notes that a release is the one in force now. It stands after the step that moves the link and proves that the release works. */
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
})

/** Notes that a person has taken a release out of force, so that only a person puts it there again. It stays on the host. */
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
})
