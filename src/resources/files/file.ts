import { type FakeState, putPath, resolvePath } from '../../model/resource/fake-state.ts'
import { type Kind, resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { Secret } from '../../shell/secret.ts'
import { checkedMode, checkPath } from '../arguments.ts'
import { bytesOf, type Content, type FileParams, LocalFile, sizeOf } from './content.ts'
import { fileDiff, hasContent } from './file-diff.ts'
import { type AbsolutePath, type Entry, entryAt, resolvedEntryAt } from './stat.ts'
import { setOwnership, stageFile, writeFile } from './write-file.ts'

export interface FileOptions extends StepOptions {
  /** @default 'root' */
  readonly owner?: string
  /** @default the owner's name */
  readonly group?: string
  /** Three or four octal digits. @default '0644'; '0600' for secret content */
  readonly mode?: string
  /** Follows a symbolic link at the path; otherwise the link is replaced and its target is not changed. @default false */
  readonly follow?: boolean
  /**
   * Copies a file that is replaced to `/var/lib/provision/removed`, into a folder named by the time. For files that others may have
   * edited. @default false
   */
  readonly backup?: boolean
}

/**
 * A file with this content. It is replaced atomically, and never has another owner or mode. ACLs and extended attributes of an existing
 * file are kept, missing parents are created.
 *
 * @throws TypeError for an invalid path or mode
 * @example file('/etc/motd', 'Welcome\n')
 */
export function file(
  path: AbsolutePath,
  content: Content,
  { owner = 'root', group = owner, mode, follow = false, backup = false, ...options }: FileOptions = {},
): Step {
  const what = `file ${path}`
  checkPath(what, path)
  const wanted = checkedMode(what, mode ?? (content instanceof Secret ? '0600' : '0644'))
  const params = { path, content, owner, group, mode: wanted, backup }
  return follow ? followingStep(params, options) : fileStep(params, options)
}

const FILE: Kind<FileParams, Entry | undefined> = {
  id: ({ path }) => path,
  affects: 'itself',
  canWaitForPackages: true,
  prepare: async ({ content }) => {
    if (content instanceof LocalFile) await content.hash()
  },
  read: ({ path, content }) => entryAt({ path, content: () => sizeOf(content) }),
  diff: (params, have) => fileDiff(params, have),
  apply: (params, have) =>
    have?.type === 'file' && hasContent(have, params.content)
      ? [{ script: setOwnership(params, have), inline: true }]
      : writeFile(params, have),
  simulate: (params, host) => simulateFile(params, host),
}

const fileStep = resource('file', {
  ...FILE,
  replace: (params) => ({
    path: params.path,
    make: (at) => stageFile(params, at),
    backup: params.backup ?? false,
    ...(params.content instanceof LocalFile && { content: params.content }),
  }),
})

/** Not allowed in a transaction: the target of the link is known only after the host was read. */
const followingStep = resource('file', {
  ...FILE,
  read: ({ path, content }) => resolvedEntryAt({ path, content: () => sizeOf(content) }),
  apply: (params, have) => FILE.apply({ ...params, path: have?.real ?? params.path }, have),
  simulate: (params, host) => simulateFile({ ...params, path: resolvePath(host, params.path) }, host),
})

/** Puts the file on a fake host; also for kinds that contain a file. */
export function simulateFile({ path, content, owner, group, mode }: FileParams, host: FakeState): void {
  const secret = content instanceof Secret
  putPath(host, path, { type: 'file', owner, group, mode, content: bytesOf(content), secret })
}
