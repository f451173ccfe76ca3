import { clear } from '../model/sketch.ts'
import { resource, type Step, type StepOptions } from '../model/step.ts'
import { sh } from '../shell/sh.ts'
import { type AbsolutePath, type Entry, entryAt } from './paths.ts'

/** Where what was taken away is kept, each under the second it was taken in. */
export const REMOVED = '/var/lib/provision/removed'

/**
 * Nothing at this path. What is there is moved below `/var/lib/provision/removed`, not deleted.
 *
 * @example absent('/etc/nginx/sites-enabled/default', { notify: reloaded('nginx') })
 */
export function absent(path: AbsolutePath, options: StepOptions = {}): Step {
  return absentStep({ path }, options)
}

const absentStep = resource<{ readonly path: AbsolutePath }, Entry | undefined>('absent', {
  id: ({ path }) => path,
  reach: 'own',
  yields: true,
  read: ({ path }) => entryAt({ path }),
  diff: (_params, have) =>
    have && { verb: 'remove', fields: [{ name: 'type', from: have.type, to: 'absent' }] },
  apply: ({ path }) => [
    {
      script: sh`umask 077; to=${REMOVED}/$(date +%Y%m%dT%H%M%S.%N) && mkdir -p "$to" && mv ${path} "$to/"`,
      inline: true,
    },
  ],
  becomes: ({ path }, host) => clear(host, path),
  replace: ({ path }) => ({ path, make: undefined }),
})
