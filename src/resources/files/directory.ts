import { Problem } from '../../model/problem.ts'
import { compare } from '../../model/resource/diff.ts'
import { putPath } from '../../model/resource/fake-state.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'
import { checkedMode, checkPath } from './check-path.ts'
import { type AbsolutePath, type Entry, entryAt, matchOwnership, resolvedEntryAt } from './stat.ts'

export interface DirectoryOptions extends StepOptions {
  /** @default 'root' */
  readonly owner?: string
  /** @default the owner's name */
  readonly group?: string
  /** Three or four octal digits. @default '0755' */
  readonly mode?: string
  /** Whether a symbolic link at the path is followed: the directory that it leads to is meant. @default false */
  readonly follow?: boolean
}

/**
 * A directory with this owner and mode, with those above it. What is in it is left alone.
 *
 * @throws TypeError for a path that cannot be, and for a mode that is not octal
 * @example directory('/srv/app', { owner: 'app', mode: '0750' })
 */
export function directory(
  path: AbsolutePath,
  { owner = 'root', group = owner, mode = '0755', follow = false, ...options }: DirectoryOptions = {},
): Step {
  const what = `directory ${path}`
  checkPath(what, path, { root: true })
  return directoryStep({ path, owner, group, mode: checkedMode(what, mode), follow }, options)
}

interface DirectoryParams {
  readonly path: AbsolutePath
  readonly owner: string
  readonly group: string
  readonly mode: string
  readonly follow: boolean
}

const directoryStep = resource<DirectoryParams, Entry | undefined>('directory', {
  id: ({ path }) => path,
  affects: 'itself',
  canWaitForPackages: true,
  read: ({ path, follow }) => (follow ? resolvedEntryAt({ path }) : entryAt({ path })),
  diff: ({ path, owner, group, mode }, have) => {
    if (have && have.type !== 'directory')
      throw new Problem(`${path} is a ${have.type}, where a directory is wanted`, {
        next:
          have.type === 'link'
            ? `It leads to ${have.target}. Name that directory, or give { follow: true }.`
            : 'Move it out of the way on the host, or give the step another path.',
      })
    return compare({ owner, group, mode }, matchOwnership(have, { owner, group }))
  },
  apply: ({ path, owner, group, mode }) => [
    {
      // Of a directory chmod takes the set-id bits away only when the mode has five digits.
      script: sh`mkdir -p ${path} && chown ${`${owner}:${group}`} ${path} && chmod ${`0${mode}`} ${path}`,
      inline: true,
    },
  ],
  simulate: ({ path, owner, group, mode }, host) =>
    putPath(host, path, { type: 'directory', owner, group, mode }),
})
