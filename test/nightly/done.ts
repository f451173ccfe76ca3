import type { Figure, Result } from '../support/results.ts'

/** The result of one part of the nightly run. */
export interface Done {
  readonly part: string
  readonly about: string
  /** The exit status of the program, or that it did not end. */
  readonly ended: string
  readonly seconds: number
  readonly at: string
  /** The commit of the sources. */
  readonly commit: string
  readonly results: readonly Result[]
  readonly figures: readonly Figure[]
}

export function failedOf({ results }: Pick<Done, 'results'>): readonly Result[] {
  return results.filter(({ outcome }) => outcome === 'failed')
}
