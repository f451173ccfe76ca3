import { join } from 'node:path'
import type { AbsolutePath } from '../../../src/index.ts'
import { api, type Generator } from './api.ts'

/** Releases that are complete, incomplete, current or rolled back, and the link to the current one. */
export const releases: Generator = (dice, site) => {
  const root = '/srv/kinds/app'
  const built = api.build(join(import.meta.dirname, dice.one('content', 'templates')), 'They are in the repository.')
  const old = ['0123456789ab', '1123456789ab', '2123456789ab', '3123456789ab', '4123456789ab', '5123456789ab']
  const there = [...old, built.id, `${old[0]}.incoming`, 'by-hand']
  const at = (id: string): AbsolutePath => `${root}/releases/${id}`
  const found = dice
    .one(
      () => [],
      () => [`rm -rf ${root}`],
      () => [
        `rm -rf ${root}`,
        ...dice
          .some(there)
          .map((id) => `mkdir -p ${at(id)}; touch -d @${dice.one(0, 1, 1000 + dice.below(1000))} ${at(id)}`),
        `mkdir -p ${root}; ln -sfn releases/${dice.one(...old, built.id)} ${root}/current`,
        ...(dice.maybe() ? [`touch ${root}/current/ || rm ${root}/current`] : []),
      ],
    )()
    .join('\n')
  const kept = dice.maybe(0.3)
  const [first = ''] = old
  const wanted = kept ? api.existingRelease(first) : built
  return {
    ...(kept && { needs: `mkdir -p ${at(first)}` }),
    found: kept ? `${found}\nmkdir -p ${at(first)}` : found,
    steps: [
      api.release(at(wanted.id), wanted, site.options()),
      ...(dice.maybe(0.7)
        ? [api.pruneReleases(root, { wanted: wanted.id, keep: dice.one(2, 3, 4), ...site.options() })]
        : []),
      ...(dice.maybe(0.3) ? [api.markReleaseRolledBack(root, dice.one(...old.slice(1)), site.options())] : []),
      api.link(`${root}/current`, { target: `releases/${wanted.id}`, ...site.options() }),
      api.markReleaseCurrent(root, wanted.id, site.options()),
    ],
  }
}
