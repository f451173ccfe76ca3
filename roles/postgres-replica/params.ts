import type { Host } from 'provision-ts'
import type { PostgresParams } from '../postgres/params.ts'

export interface PostgresReplicaParams extends PostgresParams {
  /** The host to follow. Only a copy of its data is started. */
  readonly primary: Host
  /**
   * The data of a host that was a primary itself. `rewind`: changes that only this host has are undone; where that fails, the data are
   * moved aside and a new copy is taken. `copy`: moved aside at once. Nothing is deleted. @default 'refuse'
   */
  readonly oldPrimary?: OldPrimaryAction
}

/** See {@link PostgresReplicaParams.oldPrimary}. */
export type OldPrimaryAction = 'refuse' | 'rewind' | 'copy'
