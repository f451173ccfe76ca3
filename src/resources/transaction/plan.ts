import type { Shell } from '../../shell/sh.ts'

export interface TransactionPlan {
  readonly label: string
  readonly id: string
  readonly swaps: readonly Swap[]
  readonly validate: Shell | undefined
  readonly activate: Shell | undefined
  readonly probe: Shell | undefined
  /** Whether the files decide how the host is reached: then a boot before the end takes them back. */
  readonly confirmed: boolean
}

/** The exit status of a transaction that failed and left all as it was, in force too. */
export const ROLLED_BACK = 65

export interface Swap {
  readonly path: string
  /** The staged new thing, in the same directory. */
  readonly at: string
  /** Makes it there; undefined when nothing is to be at the path. */
  readonly make: Shell | undefined
  /** Whether a copy of the old one is kept when the new one is in force. */
  readonly backup: boolean
}
