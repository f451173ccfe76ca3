import { Problem } from '../../model/problem.ts'
import { compare } from '../../model/resource/diff.ts'
import { putPath } from '../../model/resource/fake-state.ts'
import { batchRead, readAll, readBoth } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { forPaths, type Shell, sh } from '../../shell/sh.ts'
import { checkedMode, checkPath } from '../arguments.ts'
import { sha256 } from './content.ts'
import { directoryOf, ensureDirectory, removeStrayFiles, stagingPath } from './staging.ts'
import { type AbsolutePath, type Entry, entryAt, matchOwnership, wrongType } from './stat.ts'

interface CopiedOptions extends StepOptions {
  /** @default 'root' */
  readonly owner?: string
  /** @default the owner's name */
  readonly group?: string
  /** Three or four octal digits. @default '0644' */
  readonly mode?: string
  /** Copies it only if nothing is at the path; a file there is left as it is. @default false */
  readonly once?: boolean
}

/**
 * A copy of a file of the host at another path of the host: it has the same content, and is replaced atomically when the original changes.
 * Links are followed. Missing parents are created.
 *
 * @param from the original
 * @param to the copy
 * @throws TypeError for an invalid path or mode
 * @example copied('/usr/share/doc/app/app.conf.example', '/etc/app.conf', { once: true })
 */
export function copied(
  from: AbsolutePath,
  to: AbsolutePath,
  { owner = 'root', group = owner, mode = '0644', once = false, ...options }: CopiedOptions = {},
): Step {
  const what = `copied ${to}`
  checkPath(what, from)
  checkPath(what, to)
  if (from === to) throw new TypeError(`${what}: the copy is the original`)
  return copiedStep({ from, to, owner, group, mode: checkedMode(what, mode), once }, options)
}

interface CopiedParams {
  readonly from: AbsolutePath
  readonly to: AbsolutePath
  readonly owner: string
  readonly group: string
  readonly mode: string
  readonly once: boolean
}

/** The entry of the copy, and the hashes of original and copy. */
type CopiedState = readonly [Entry | undefined, readonly (string | undefined)[]]

const copiedStep = resource<CopiedParams, CopiedState>('copied', {
  id: ({ to }) => to,
  sets: ({ to }) => [{ type: 'path', name: to }],
  affects: 'itself',
  read: ({ from, to }) => readBoth(entryAt({ path: to }), readAll([from, to].map(hashAt))),
  diff: ({ from, to, owner, group, mode, once }, [have, [original, copy]]) => {
    if (have && have.type !== 'file' && have.type !== 'link') throw wrongType(to, have, 'a file')
    if (once && have) return undefined
    if (original === undefined)
      throw new Problem(`There is no file ${from} to copy to ${to}`, {
        next: 'Correct the path, or put the step that creates it before this one.',
      })
    const isFile = have?.type === 'file'
    return compare(
      { owner, group, mode, content: original.slice(0, 12) },
      have && { ...matchOwnership(have, { owner, group }), content: isFile ? copy?.slice(0, 12) : undefined },
    )
  },
  apply: (params) => {
    const at = stagingPath(params.to)
    return [
      { script: sh`{ ${stage(params, at)} && mv -fT ${at} ${params.to}; } || { rm -f ${at}; exit 1; }`, inline: true },
    ]
  },
  simulate: ({ from, to, owner, group, mode, once }, host) => {
    const content = host.paths.get(from)?.content
    if (content && !(once && host.paths.has(to))) putPath(host, to, { type: 'file', owner, group, mode, content })
  },
  replace: (params) => ({ path: params.to, make: (at) => stage(params, at) }),
})

function stage({ from, to, owner, group, mode }: CopiedParams, at: string): Shell {
  return sh`${ensureDirectory(directoryOf(to))} && { ${removeStrayFiles(to)}; } &&
install -o ${owner} -g ${group} -m ${mode} /dev/null ${at} && cat <${from} >${at} && sync ${at}`
}

/** The SHA-256 of a file; undefined if there is none. One `sha256sum` for all files of a host. */
const hashAt = batchRead<string, string | undefined>({
  name: 'hashes of copies',
  dependsOn: (path) => [path],
  shared: true,
  script: (paths) => forPaths(paths, (part) => sh`sha256sum -z -- ${part} 2>/dev/null`),
  parse: ({ stdout }, paths) => {
    const hashes = new Map(stdout.split('\0').map((one) => [one.slice(66), one.slice(0, 64)]))
    return paths.map((path) => hashes.get(path))
  },
  fakeValue: ({ paths }, path) => {
    const content = paths.get(path)?.content
    return content && sha256(content)
  },
})
