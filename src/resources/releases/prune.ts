import { removePath } from '../../model/resource/fake-state.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'
import { checkPath } from '../arguments.ts'
import type { AbsolutePath } from '../files/stat.ts'
import { type Releases, releasesAt, releasesIn } from './current.ts'

interface PruneOptions extends StepOptions {
  /** The wanted release, which is kept; it need not exist yet. */
  readonly wanted: string
  /**
   * The number of releases to keep, including the wanted one; at least two, since a rollback needs the previous one. The same number of
   * rolled-back releases is kept in addition. @default 3
   */
  readonly keep?: number
}

/**
 * Removes old releases from `<root>/releases` and keeps the ones that were current last. The current release and files of others are never
 * removed, incomplete releases always. Place this step before the step that changes the link: it then also keeps the release that is
 * being replaced, even after many failed ones.
 *
 * @throws TypeError for an invalid path
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

const pruneStep = resource<PruneParams, Releases>('old releases', {
  id: ({ root }) => `${root}/releases`,
  affects: 'itself',
  read: ({ root }) => releasesAt(root),
  diff: (params, have) => {
    const old = releasesToRemove(params, have)
    return old.length === 0
      ? undefined
      : { action: 'remove', fields: old.map((name) => ({ name, from: 'present', to: 'absent' })) }
  },
  apply: ({ root, ...params }, have) => [
    // Checks the link again: it may have changed since the read, and the current release must stay.
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
  const complete = names.filter((name) => !name.endsWith('.incoming'))
  // The directory records the rollback: without it, a machine with that build would deploy the release again.
  const rolledBack = all.filter(({ id, state }) => state === 'rolled back' && id !== wanted && id !== current)
  const kept = rolledBack.slice(0, keep).map(({ id }) => id)
  const first = [wanted, ...(current === undefined || current === wanted ? [] : [current])]
  const rest = complete.filter((name) => !first.includes(name) && !rolledBack.some(({ id }) => id === name))
  const stay = new Set([...first, ...kept, ...rest.slice(0, keep - first.length)])
  return names.filter((name) => !stay.has(name))
}
