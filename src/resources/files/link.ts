import { Problem } from '../../model/problem.ts'
import { compare } from '../../model/resource/diff.ts'
import { putPath } from '../../model/resource/fake-state.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'
import { checkPath, LONGEST_NAME } from './check-path.ts'
import { copyToRemoved } from './removed.ts'
import { baseName, directoryOf, ensureDirectory, moveInto, removeStrayFiles, stagingPath } from './staging.ts'
import { type AbsolutePath, type Entry, entryAt } from './stat.ts'

export interface LinkOptions extends StepOptions {
  /** What the link holds: a path from the root, or one from the link's own directory. */
  readonly target: string
}

/**
 * A symbolic link, replaced in one move: at no moment is there none. Missing directories above it are created. A file in its place is
 * copied below `/var/lib/provision/removed` first.
 *
 * @throws TypeError for a path or a target that cannot be
 * @example link('/srv/app/current', { target: 'releases/4f2a90c1b7de' })
 */
export function link(path: AbsolutePath, { target, ...options }: LinkOptions): Step {
  checkPath(`link ${path}`, path)
  const long = target.split('/').some((name) => Buffer.byteLength(name) > LONGEST_NAME)
  if (target === '' || target.includes('\0') || long)
    throw new TypeError(`link ${path}: no link can lead to ${JSON.stringify(target)}`)
  if (target === path || target === baseName(path))
    throw new TypeError(`link ${path}: it would lead to itself`)
  return linkStep({ path, target }, options)
}

interface LinkParams {
  readonly path: AbsolutePath
  readonly target: string
}

const linkStep = resource<LinkParams, Entry | undefined>('link', {
  id: ({ path }) => path,
  affects: 'itself',
  canWaitForPackages: true,
  read: ({ path }) => entryAt({ path }),
  diff: ({ path, target }, have) => {
    if (have && have.type !== 'link' && have.type !== 'file')
      throw new Problem(`${path} is a ${have.type}, where a link is wanted`, {
        next: 'Move it out of the way on the host, or give the step another path.',
      })
    return compare({ type: 'link', target }, have && { ...have, type: have.type as 'link' })
  },
  apply: ({ path, target }) => {
    const at = stagingPath(path)
    return [
      {
        script: sh`{ ${ensureDirectory(directoryOf(path))} && { ${removeStrayFiles(path)}; } && ${copyToRemoved(path)}; } && { ln -s -- ${target} ${at} && ${moveInto(at, path)}; } || { rm -f ${at}; exit 1; }`,
        inline: true,
      },
    ]
  },
  simulate: ({ path, target }, host) =>
    putPath(host, path, { type: 'link', owner: 'root', group: 'root', mode: '0777', target }),
  replace: ({ path, target }) => ({
    path,
    make: (at) =>
      sh`{ ${ensureDirectory(directoryOf(path))} && { ${removeStrayFiles(path)}; } && ${copyToRemoved(path)}; } && ln -s -- ${target} ${at}`,
  }),
})
