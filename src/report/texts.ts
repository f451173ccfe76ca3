import { createTwoFilesPatch } from 'diff'
import type { Difference } from '../model/difference.ts'
import { Secret } from '../shell/secret.ts'

/** Unified diffs of the texts that a difference changes; secret ones are named, not shown. */
export function unifiedDiffs({ texts = [] }: Difference, before: readonly string[]): readonly string[] {
  return texts.map(({ path, after }, i) => {
    if (after === undefined) return `${path}: secret or binary, not shown`
    const patch = createTwoFilesPatch(path, path, before[i] ?? '', after, 'now', 'wanted', { context: 3 })
    return Secret.redact(patch.replace(/^(Index: .*\n)?=+\n/, '').trimEnd())
  })
}
