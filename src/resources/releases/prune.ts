import { removePath } from '../../model/resource/fake-state.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'
import { checkPath } from '../files/check-path.ts'
import type { AbsolutePath } from '../files/stat.ts'
import { type Releases, releasesAt, releasesIn } from './current.ts'

export interface PruneOptions extends StepOptions {
  /** The release that is wanted: one of those that stay, whether it is there yet or not. */
  readonly wanted: string
  /**
   * How many stay, with the wanted one; two at least, as the one before is what a rollback needs. As many of those that a person has
   * taken out of force stay beside them. @default 3
   */
  readonly keep?: number
}

/**
 * Of the releases in `<root>/releases`, the few that were in force last. The one that `<root>/current` leads to is never taken away,
 * nor what people have put beside them; what a broken run left half unpacked always is. It stands before the step that moves the link: there the release that is about to be
 * replaced is known, and stays, however many refused ones came after it.
 *
 * @example pruneReleases('/srv/app', { wanted: '4f2a90c1b7de', keep: 5 })
 */
export function pruneReleases(root: AbsolutePath, { wanted, keep = 3, ...options }: PruneOptions): Step {
  checkPath('pruneReleases', root)
  return pruneStep({ root, wanted, keep: Math.max(2, keep) }, options)
}

interface PruneParams {
  readonly root: AbsolutePath
  readonly wanted: string
  readonly keep: number
}

const pruneStep = resource<PruneParams, Releases>('pruned releases', {
  id: ({ root }) => `${root}/releases`,
  affects: 'itself',
  read: ({ root }) => releasesAt(root),
  diff: (params, have) => {
    const old = releasesToRemove(params, have)
    return old.length === 0
      ? undefined
      : { action: 'remove', fields: old.map((name) => ({ name, from: 'there', to: 'absent' })) }
  },
  apply: ({ root, ...params }, have) => [
    // The link is looked at again: what runs must stay, whatever happened since the question.
    sh`for old in ${releasesToRemove({ root, ...params }, have).map((name) => `${root}/releases/${name}`)}; do
  [ "$old" -ef ${root}/current ] || rm -rf -- "$old" || exit 1
done`,
  ],
  simulate: ({ root, ...params }, host) => {
    for (const name of releasesToRemove({ root, ...params }, releasesIn(host, root)))
      removePath(host, `${root}/releases/${name}`)
  },
})

function releasesToRemove({ wanted, keep }: PruneParams, { all, current }: Releases): readonly string[] {
  const names = all.map(({ id }) => id)
  const whole = names.filter((name) => !name.endsWith('.incoming'))
  // What a person has taken out of force is known by its directory: without it, a machine with that build would put it in force again.
  const withdrawn = all.filter(({ id, state }) => state === 'withdrawn' && id !== wanted && id !== current)
  const out = withdrawn.slice(0, keep).map(({ id }) => id)
  const first = [wanted, ...(current === undefined || current === wanted ? [] : [current])]
  const rest = whole.filter((name) => !first.includes(name) && !withdrawn.some(({ id }) => id === name))
  const kept = new Set([...first, ...out, ...rest.slice(0, keep - first.length)])
  return names.filter((name) => !kept.has(name))
}
