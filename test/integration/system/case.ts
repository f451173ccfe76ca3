import type { Steps } from '../../../src/index.ts'

/** Steps on a real host. A second run must have nothing to do. */
export interface Case {
  /** A shell script that runs first. */
  readonly prepare?: string
  readonly steps: Steps
  /** The plan of the first run. */
  readonly plan?: readonly string[]
  /** The beginning of the error, without the name of the host. */
  readonly fails?: string
  /** A shell script whose output shows the result. */
  readonly look?: string
  readonly shows?: string | RegExp
}

export type Cases = Readonly<Record<string, Case>>
