/**
 * Returns the names that are most similar to a mistyped one, best first: at most three of about the same distance. A name that differs too
 * much is left out, unless it begins with the typed text.
 */
export function nearest(typed: string, names: Iterable<string>): readonly string[] {
  const limit = Math.max(2, Math.floor(typed.length / 3))
  return [...new Set(names)]
    .map((name) => ({ name, away: distance(typed.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, away }) => away <= limit || name.startsWith(typed))
    .sort((a, b) => a.away - b.away)
    .filter(({ away }, _i, [best]) => away <= (best?.away ?? 0) + 1)
    .slice(0, 3)
    .map(({ name }) => name)
}

/** Returns `Did you mean "web1"?`; undefined if no name is similar. */
export function didYouMean(typed: string, names: Iterable<string>): string | undefined {
  const near = nearest(typed, names).map((name) => `"${name}"`)
  return near.length === 0 ? undefined : `Did you mean ${near.join(' or ')}?`
}

/** The Levenshtein distance, with a swap of adjacent characters as one edit: the most common typing error. */
function distance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (before[j - 2] ?? 0) + 1)
      row.push(best)
    }
    before = last
    last = row
  }
  return last[b.length] ?? 0
}
