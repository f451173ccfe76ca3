import type { Shell } from '../../shell/sh.ts'

export interface TransactionPlan {
  readonly label: string
  readonly id: string
  readonly swaps: readonly FileSwap[]
  readonly validate: Shell | undefined
  readonly activate: Shell | undefined
  readonly probe: Shell | undefined
  /** Restores the old files at a boot before the end: see `confirmed` of a transaction. */
  readonly confirmed: boolean
}

/** A path whose old entry is replaced by a staged one. */
export interface FileSwap {
  readonly path: string
  /** The staged entry, in the same directory. */
  readonly at: string
  /** Creates it there; undefined to remove the path. */
  readonly make: Shell | undefined
  /** Keeps a copy of the old entry after success. */
  readonly backup: boolean
}
