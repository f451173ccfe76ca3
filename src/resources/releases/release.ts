import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { Problem } from '../../model/problem.ts'
import { putPath } from '../../model/resource/fake-state.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'
import { checkPath, LONGEST_NAME } from '../files/check-path.ts'
import { type AbsolutePath, type Entry, entryAt } from '../files/stat.ts'
import { archiveOf } from './archive.ts'
import { digestOf, entriesOf, type LocalEntry } from './local-tree.ts'

/** What is to stand on hosts: a built directory of this machine, or what they have already. */
export interface Build {
  /** Undefined for a release that the hosts have already. */
  readonly directory: string | undefined
  /** Made from names, contents, executable bits, links and empty directories: what is the same has the same id. */
  readonly id: string
  /** What is sent, as it was when `id` was made; listed when it is sent unless given. */
  readonly entries?: readonly LocalEntry[]
}

/**
 * Looks at a directory that a build has made.
 *
 * Links are sent as links, empty directories too. A link to a relative path has to stay inside the directory; a link to an absolute
 * path means a path of the host.
 *
 * @param hint what to do when it is not there
 * @throws Problem when it is not there, or holds what cannot be sent: a fifo, a socket, a device, a link that leads out
 * @example const built = build('dist', 'Run npm run build first.')
 */
export function build(directory: string, hint: string): Build {
  const stat = statSync(directory, { throwIfNoEntry: false })
  if (!stat?.isDirectory()) throw new Problem(`There is nothing to deploy at ${directory}`, { next: hint })
  const root = resolve(directory)
  const entries = entriesOf(root)
  if (entries.every(({ type }) => type === 'directory'))
    throw new Problem(`There are no files to deploy at ${directory}`, { next: hint })
  return Object.freeze({ directory: root, id: digestOf(entries).slice(0, 12), entries })
}

/**
 * A release that the hosts have already, and that this machine need not have.
 *
 * @example release('/srv/app/releases/4f2a90c1b7de', existingRelease('4f2a90c1b7de'))
 */
export function existingRelease(id: string): Build {
  return Object.freeze({ directory: undefined, id })
}

/**
 * A build at a path of the host that nothing else stands at; put the build's id into the path. It is unpacked beside it and then
 * renamed, so what is there is whole. Everything belongs to root and is readable by all, whatever the umask of the build was:
 * directories and executable files have the mode 0755, other files 0644.
 * Its directory has the time 0 until it is in force: see `markReleaseCurrent`.
 *
 * @throws TypeError for a path that cannot be
 * @example
 * const built = build('dist', 'Run npm run build first.')
 * release(`/srv/app/releases/${built.id}`, built)
 */
export function release(path: AbsolutePath, from: Build, options: StepOptions = {}): Step {
  checkPath(`release ${path}`, path, { longest: LONGEST_NAME - INCOMING.length })
  return releaseStep({ path, from }, options)
}

/** Ends the name of a release that is not whole yet. */
const INCOMING = '.incoming'

interface ReleaseParams {
  readonly path: AbsolutePath
  readonly from: Build
}

const releaseStep = resource<ReleaseParams, Entry | undefined>('release', {
  id: ({ path }) => path,
  affects: 'itself',
  canWaitForPackages: true,
  read: ({ path }) => entryAt({ path }),
  diff: ({ path, from }, have) => {
    if (have && have.type !== 'directory')
      throw new Problem(`${path} is a ${have.type}, where a release is wanted`, {
        next: 'Move it out of the way, or give the release another path.',
      })
    if (!have && from.directory === undefined) throw notThere(path, from)
    return have ? undefined : { action: 'create', fields: [{ name: 'release', to: from.id }] }
  },
  apply: ({ path, from }) => {
    const { directory, id } = from
    if (directory === undefined) throw notThere(path, from)
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
  simulate: ({ path }, host) =>
    putPath(host, path, { type: 'directory', owner: 'root', group: 'root', mode: '0755' }),
})

function notThere(path: AbsolutePath, { id }: Build): Problem {
  return new Problem(`There is no release ${id} at ${path} any more, and it was not built here`, {
    next: 'Build it on this machine and deploy it.',
  })
}
