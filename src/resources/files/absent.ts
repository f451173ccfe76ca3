import { removePath } from '../../model/resource/fake-state.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { checkPath } from '../arguments.ts'
import { moveToRemoved } from './staging.ts'
import { type AbsolutePath, type Entry, entryAt } from './stat.ts'

/**
 * Nothing at a path. An existing file or directory is moved to `/var/lib/provision/removed`, not deleted.
 *
 * @throws TypeError for an invalid path
 * @example absent('/etc/nginx/sites-enabled/default', { notify: reloaded('nginx') })
 */
export function absent(path: AbsolutePath, options: StepOptions = {}): Step {
  checkPath(`absent ${path}`, path)
  return absentStep({ path }, options)
}

const absentStep = resource<{ readonly path: AbsolutePath }, Entry | undefined>('absent', {
  id: ({ path }) => path,
  affects: 'itself',
  canWaitForPackages: true,
  read: ({ path }) => entryAt({ path }),
  diff: (_params, have) => have && { action: 'remove', fields: [{ name: 'type', from: have.type, to: 'absent' }] },
  apply: ({ path }) => [{ script: moveToRemoved(path), inline: true }],
  simulate: ({ path }, host) => removePath(host, path),
  replace: ({ path }) => ({ path, make: undefined }),
})
