import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { Problem } from '../../model/problem.ts'
import { putPath } from '../../model/resource/fake-state.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'
import { checkPath, LONGEST_NAME } from '../arguments.ts'
import { type AbsolutePath, type Entry, entryAt, wrongType } from '../files/stat.ts'
import { archiveOf } from './archive.ts'
import { digestOf, entriesOf, type LocalEntry } from './local-tree.ts'

/** The content of a release: a local directory, or a release that the hosts already have. */
export interface Build {
  /** Undefined for a release that the hosts already have. */
  readonly directory: string | undefined
  /** A hash of names, contents, executable bits, links and empty directories. */
  readonly id: string
  /** The entries at the time of hashing. @default listed when the release is sent */
  readonly entries?: readonly LocalEntry[]
}

/**
 * Reads the output directory of a build.
 *
 * Links and empty directories are kept. A relative link must stay inside the directory; an absolute link refers to a path of the host.
 *
 * @param hint advice for a missing directory
 * @throws Problem if it is missing or empty, or contains a fifo, a socket, a device, or a link that leads out of it
 * @example const built = build('dist', 'Run npm run build first.')
 */
export function build(directory: string, hint: string): Build {
  const stat = statSync(directory, { throwIfNoEntry: false })
  if (!stat?.isDirectory()) throw new Problem(`There is no build at ${directory}`, { next: hint })
  const root = resolve(directory)
  const entries = entriesOf(root)
  if (entries.every(({ type }) => type === 'directory'))
    throw new Problem(`The build at ${directory} has no files`, { next: hint })
  return Object.freeze({ directory: root, id: digestOf(entries).slice(0, 12), entries })
}

/**
 * A release that the hosts already have; this machine does not need it.
 *
 * @example release('/srv/app/releases/4f2a90c1b7de', existingRelease('4f2a90c1b7de'))
 */
export function existingRelease(id: string): Build {
  return Object.freeze({ directory: undefined, id })
}

/**
 * A build at a new path of the host; use the build's id in the path. It is unpacked to a temporary path and renamed, so it is always
 * complete. Everything belongs to root; directories and executable files have the mode 0755, other files 0644.
 * The directory has the modification time 0 until it becomes the current release: see `markReleaseCurrent`.
 *
 * @throws TypeError for an invalid path
 * @example
 * const built = build('dist', 'Run npm run build first.')
 * release(`/srv/app/releases/${built.id}`, built)
 */
export function release(path: AbsolutePath, from: Build, options: StepOptions = {}): Step {
  checkPath(`release ${path}`, path, { longest: LONGEST_NAME - INCOMING.length })
  return releaseStep({ path, from }, options)
}

/** The suffix of an incomplete release. */
const INCOMING = '.incoming'

interface ReleaseParams {
  readonly path: AbsolutePath
  readonly from: Build
}

const releaseStep = resource<ReleaseParams, Entry | undefined>('release', {
  id: ({ path }) => path,
  sets: ({ path }) => [{ type: 'path', name: path, below: true }],
  affects: 'itself',
  canWaitForPackages: true,
  read: ({ path }) => entryAt({ path }),
  diff: ({ path, from }, have) => {
    if (have && have.type !== 'directory') throw wrongType(path, have, 'a release')
    if (!have && from.directory === undefined) throw missingRelease(path, from)
    return have ? undefined : { action: 'create', fields: [{ name: 'release', to: from.id }] }
  },
  apply: ({ path, from }) => {
    const { directory, id } = from
    if (directory === undefined) throw missingRelease(path, from)
    const { entries = entriesOf(resolve(directory)) } = from
    const at = `${path}${INCOMING}`
    return [
      {
        script: sh`rm -rf -- ${at} && mkdir -p -m 0755 ${at} && tar -xz --no-same-owner -C ${at} && touch -d @0 ${at} && sync ${at} && mv -T -- ${at} ${path} || { rm -rf -- ${at}; exit 1; }`,
        input: archiveOf({ directory: resolve(directory), id, entries }),
        reportsProgress: true,
      },
    ]
  },
  simulate: ({ path }, host) => putPath(host, path, { type: 'directory', owner: 'root', group: 'root', mode: '0755' }),
})

function missingRelease(path: AbsolutePath, { id }: Build): Problem {
  return new Problem(`The release ${id} is no longer at ${path}, and this machine has not built it`, {
    next: 'Build it on this machine and deploy it.',
  })
}
