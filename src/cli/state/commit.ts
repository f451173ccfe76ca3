import { spawnSync } from 'node:child_process'
import { errno } from '../../transport/errors.ts'

/** The commit of a project. */
export interface Commit {
  readonly id: string
  /** The files with changes that are not committed. */
  readonly changed: readonly string[]
}

/**
 * Reads the commit of the repository that contains a directory.
 *
 * @returns undefined outside of a repository; a text, the reason, if it cannot be read
 */
export function commitOf(directory: string): Commit | string | undefined {
  const head = git(directory, 'rev-parse', '--verify', 'HEAD')
  if (typeof head === 'string') return isNoRepository(head) ? undefined : head
  const status = git(directory, 'status', '--porcelain', '--untracked-files=no', '-z')
  if (typeof status === 'string') return status
  // `XY path`; the former path of a renamed file follows as an entry without a state.
  const changed = status.out.split('\0').filter((line) => line !== '')
  return { id: head.out.trim(), changed: changed.map((line) => line.slice(3)) }
}

function isNoRepository(reason: string): boolean {
  return /not a git repository|is not installed|Needed a single revision/.test(reason)
}

/** @returns the output; a text, the reason, if git fails */
function git(directory: string, ...args: readonly string[]): { readonly out: string } | string {
  const env = { ...process.env, LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0' }
  const { error, status, stdout, stderr } = spawnSync('git', ['-C', directory, ...args], { encoding: 'utf8', env })
  if (error) return errno(error) === 'ENOENT' ? 'git is not installed' : error.message
  if (status === 0) return { out: stdout }
  return stderr.trim().split('\n')[0] ?? `git ended with status ${status}`
}
