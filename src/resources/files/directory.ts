import { compare } from '../../model/resource/diff.ts'
import { putPath } from '../../model/resource/fake-state.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'
import { checkedMode, checkPath } from '../arguments.ts'
import { type AbsolutePath, type Entry, entryAt, matchOwnership, resolvedEntryAt, wrongType } from './stat.ts'

interface DirectoryOptions extends StepOptions {
  /** @default 'root' */
  readonly owner?: string
  /** @default the owner's name */
  readonly group?: string
  /** Three or four octal digits. @default '0755' */
  readonly mode?: string
  /** Follows a symbolic link at the path. @default false */
  readonly follow?: boolean
}

/**
 * A directory with this owner and mode; missing parents are created. Its contents are not changed.
 *
 * @throws TypeError for an invalid path or mode
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
  sets: ({ path }) => [{ type: 'path', name: path }],
  affects: 'itself',
  canWaitForPackages: true,
  read: ({ path, follow }) => (follow ? resolvedEntryAt({ path }) : entryAt({ path })),
  diff: ({ path, owner, group, mode }, have) => {
    if (have && have.type !== 'directory')
      throw wrongType(path, have, 'a directory', 'Use that path, or add { follow: true }.')
    return compare({ owner, group, mode }, matchOwnership(have, { owner, group }))
  },
  apply: ({ path, owner, group, mode }) => [
    {
      // chmod removes the set-id bits of a directory only with a mode of five digits.
      script: sh`mkdir -p ${path} && chown ${`${owner}:${group}`} ${path} && chmod ${`0${mode}`} ${path}`,
      inline: true,
    },
  ],
  simulate: ({ path, owner, group, mode }, host) => putPath(host, path, { type: 'directory', owner, group, mode }),
})
