import { resource, sh } from 'provision-ts'
import { queryRow } from '../lib/psql.ts'
import type { PrimaryRecord } from '../lib/record.ts'
import { noReplicaProblem } from '../lib/record-checks.ts'

interface CommitsWaitParams {
  readonly primary: string
  /** Replicas for which commits must wait, according to the inventory. */
  readonly replicas: readonly { readonly name: string }[]
  readonly record: PrimaryRecord | undefined
}

/**
 * Commits wait for a replica at the end of a run. After a failover they do not until a replica follows. A run cannot change that without a
 * replica, so it fails with the next action.
 */
export const commitsWait = resource<CommitsWaitParams, { readonly names: string } | undefined>('commits', {
  id: ({ primary }) => `on ${primary}`,
  affects: 'itself',
  read: () => queryRow("select current_setting('synchronous_standby_names') as names where not pg_is_in_recovery()"),
  diff: ({ replicas }, have) =>
    have?.names !== '' || replicas.length === 0
      ? undefined
      : {
          action: 'change',
          fields: [{ name: 'wait for', from: 'no replica', to: replicas.map(({ name }) => name).join(' or ') }],
        },
  apply: ({ primary, record }) => {
    const { message, details, next } = noReplicaProblem(primary, record)
    return [sh`printf '%s\n' ${`${message}.`} ${details} ${next ?? ''} >&2; exit 1`]
  },
})
