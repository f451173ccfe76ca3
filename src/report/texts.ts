import { createTwoFilesPatch } from 'diff'
import type { Difference } from '../model/difference.ts'
import { Secret } from '../shell/secret.ts'

/** Unified diffs of the texts that a difference changes; of secrets the name is shown, of what is not text the size and hash. */
export function unifiedDiffs({ texts = [] }: Difference, before: readonly string[]): readonly string[] {
  return texts.map(({ path, after, instead = 'secret, not shown' }, i) => {
    if (after === undefined) return `${path}: ${instead}`
    const patch = createTwoFilesPatch(path, path, before[i] ?? '', after, 'now', 'wanted', { context: 3 })
    return Secret.redact(patch.replace(/^(Index: .*\n)?=+\n/, '').trimEnd())
  })
}
