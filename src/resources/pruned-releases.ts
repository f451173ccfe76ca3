import { type Read, read } from '../model/read.ts'
import { resource, type Step, type StepOptions } from '../model/step.ts'
import { sh } from '../shell/sh.ts'
import type { AbsolutePath } from './paths.ts'

export interface PrunedOptions extends StepOptions {
  /** The release that is wanted: one of those that stay, whether it is there yet or not. */
  readonly wanted: string
  /** How many stay, with the wanted one; two at least, as the one before is what a rollback needs. @default 3 */
  readonly keep?: number
}

/**
 * Of the releases in `<root>/releases`, the newest few. The one that `<root>/current` leads to is never taken away, and what a
 * broken run left half unpacked always is. It stands before the step that moves the link: there the release that is about to be
 * replaced is known, and stays, however many refused ones came after it.
 */
export function prunedReleases(root: AbsolutePath, { wanted, keep = 3, ...options }: PrunedOptions): Step {
  return pruned({ root, wanted, keep: Math.max(2, keep) }, options)
}

interface PrunedParams {
  readonly root: AbsolutePath
  readonly wanted: string
  readonly keep: number
}

interface Releases {
  /** The newest first. */
  readonly names: readonly string[]
  /** The name that `current` leads to, if it leads to one. */
  readonly current: string | undefined
}

const pruned = resource<PrunedParams, Releases>('pruned releases', {
  id: ({ root }) => `${root}/releases`,
  reach: 'own',
  read: ({ root }) => releasesOf(root),
  diff: (params, have) => {
    const old = superfluous(params, have)
    return old.length === 0
      ? undefined
      : { verb: 'remove', fields: old.map((name) => ({ name, from: 'there', to: 'absent' })) }
  },
  apply: ({ root, ...params }, have) => [
    // The link is looked at again: what runs must stay, whatever happened since the question.
    sh`for old in ${superfluous({ root, ...params }, have).map((name) => `${root}/releases/${name}`)}; do
  [ "$old" -ef ${root}/current ] || rm -rf -- "$old" || exit 1
done`,
  ],
})

function releasesOf(root: AbsolutePath): Read<Releases> {
  return read(
    sh`readlink ${root}/current || echo
find ${root}/releases -mindepth 1 -maxdepth 1 -type d -printf '%T@ %f\n' 2>/dev/null | sort -rn`,
    ({ stdout }) => {
      const [target = '', ...lines] = stdout.split('\n')
      return {
        names: lines.filter((line) => line !== '').map((line) => line.slice(line.indexOf(' ') + 1)),
        current: target === '' ? undefined : target.slice(target.lastIndexOf('/') + 1),
      }
    },
  )
}

function superfluous({ wanted, keep }: PrunedParams, { names, current }: Releases): readonly string[] {
  const whole = names.filter((name) => !name.endsWith('.incoming'))
  const first = [wanted, ...(current === undefined || current === wanted ? [] : [current])]
  const rest = whole.filter((name) => !first.includes(name))
  const kept = new Set([...first, ...rest.slice(0, keep - first.length)])
  return names.filter((name) => !kept.has(name))
}
