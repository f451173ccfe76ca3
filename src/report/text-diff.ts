import { createRequire } from 'node:module'
import type { Diff } from '../model/resource/diff.ts'
import { Secret } from '../shell/secret.ts'

/** Unified diffs of the texts of a diff. Of a secret only the path is shown, of binary content size and hash. */
export function unifiedDiffs({ texts = [] }: Diff, before: readonly string[]): readonly string[] {
  if (texts.length === 0) return []
  // Loaded when there is something to show: it takes 10 ms.
  const { createTwoFilesPatch }: typeof import('diff') = createRequire(import.meta.url)('diff')
  return texts.map(({ path, after, instead = 'secret, not shown' }, i) => {
    if (after === undefined) return `${path}: ${instead}`
    const patch = createTwoFilesPatch(path, path, before[i] ?? '', after, 'now', 'wanted', { context: 3 })
    return Secret.redact(patch.replace(/^(Index: .*\n)?=+\n/, '').trimEnd())
  })
}
