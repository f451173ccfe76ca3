import type { Figure, Result } from '../support/results.ts'

/** What became of a part of the night. */
export interface Done {
  readonly part: string
  readonly about: string
  /** How the program ended: its status, or that it hung. */
  readonly ended: string
  readonly seconds: number
  readonly at: string
  /** Of the sources. */
  readonly commit: string
  readonly results: readonly Result[]
  readonly figures: readonly Figure[]
}

export function failedOf({ results }: Pick<Done, 'results'>): readonly Result[] {
  return results.filter(({ outcome }) => outcome === 'failed')
}
