import type { PostgresParams } from '../postgres/params.ts'

export interface PostgresPrimaryParams extends PostgresParams {
  /** Hosts that follow this one. Each gets a replication slot. */
  readonly replicas: readonly { readonly name: string }[]
}
