import { compare } from '../../model/resource/diff.ts'
import { putPath } from '../../model/resource/fake-state.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { checkPath, LONGEST_NAME } from '../arguments.ts'
import {
  baseName,
  copyToRemoved,
  directoryOf,
  ensureDirectory,
  moveInto,
  removeStrayFiles,
  stagingPath,
} from './staging.ts'
import { type AbsolutePath, type Entry, entryAt, wrongType } from './stat.ts'

interface LinkOptions extends StepOptions {
  /** An absolute path, or one relative to the directory of the link. */
  readonly target: string
}

/**
 * A symbolic link, replaced atomically; missing parents are created. A file at the path is copied to `/var/lib/provision/removed` first.
 *
 * @throws TypeError for an invalid path or target
 * @example link('/srv/app/current', { target: 'releases/4f2a90c1b7de' })
 */
export function link(path: AbsolutePath, { target, ...options }: LinkOptions): Step {
  checkPath(`link ${path}`, path)
  const long = target.split('/').some((name) => Buffer.byteLength(name) > LONGEST_NAME)
  if (target === '' || target.includes('\0') || long)
    throw new TypeError(`link ${path}: invalid target ${JSON.stringify(target)}`)
  if (target === path || target === baseName(path)) throw new TypeError(`link ${path}: the target is the link itself`)
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
    if (have && have.type !== 'link' && have.type !== 'file') throw wrongType(path, have, 'a link')
    return compare({ type: 'link', target }, have && { ...have, type: have.type as 'link' })
  },
  apply: ({ path, target }) => {
    const at = stagingPath(path)
    return [
      {
        script: sh`${prepare(path)} && { ln -s -- ${target} ${at} && ${moveInto(at, path)}; } || { rm -f ${at}; exit 1; }`,
        inline: true,
      },
    ]
  },
  simulate: ({ path, target }, host) =>
    putPath(host, path, { type: 'link', owner: 'root', group: 'root', mode: '0777', target }),
  replace: ({ path, target }) => ({ path, make: (at) => sh`${prepare(path)} && ln -s -- ${target} ${at}` }),
})

function prepare(path: AbsolutePath): Shell {
  return sh`{ ${ensureDirectory(directoryOf(path))} && { ${removeStrayFiles(path)}; } && ${copyToRemoved(path)}; }`
}
