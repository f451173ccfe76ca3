import { compare } from '../model/difference.ts'
import { Problem } from '../model/problem.ts'
import { place } from '../model/sketch.ts'
import { resource, type Step, type StepOptions } from '../model/step.ts'
import { sh } from '../shell/sh.ts'
import { type AbsolutePath, type Entry, entryAt } from './paths.ts'
import { beside, nameOf, put, swept } from './staging.ts'

export interface LinkOptions extends StepOptions {
  /** What the link holds: a path from the root, or one from the link's own directory. */
  readonly target: string
}

/**
 * A symbolic link, replaced in one move: at no moment is there none.
 *
 * @example link('/srv/app/current', { target: 'releases/4f2a90c1b7de' })
 */
export function link(path: AbsolutePath, { target, ...options }: LinkOptions): Step {
  if (target === path || target === nameOf(path)) throw new TypeError(`link ${path}: it would lead to itself`)
  return linkStep({ path, target }, options)
}

interface LinkParams {
  readonly path: AbsolutePath
  readonly target: string
}

const linkStep = resource<LinkParams, Entry | undefined>('link', {
  id: ({ path }) => path,
  reach: 'own',
  yields: true,
  read: ({ path }) => entryAt({ path }),
  diff: ({ path, target }, have) => {
    if (have?.type === 'directory') throw new Problem(`${path} is a directory, where a link is wanted`)
    return compare({ type: 'link', target }, have && { ...have, type: have.type as 'link' })
  },
  apply: ({ path, target }) => {
    const at = beside(path)
    return [
      {
        script: sh`{ ${swept(path)}; } && { ln -s -- ${target} ${at} && ${put(at, path)}; } || { rm -f ${at}; exit 1; }`,
        inline: true,
      },
    ]
  },
  becomes: ({ path, target }, host) =>
    place(host, path, { type: 'link', owner: 'root', group: 'root', mode: '0777', target }),
  replace: ({ path, target }) => ({
    path,
    make: (at) => sh`{ ${swept(path)}; } && ln -s -- ${target} ${at}`,
  }),
})
