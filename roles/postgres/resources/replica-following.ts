import { compare, resource, sh } from 'provision-ts'
import { literal, queryRow } from '../lib/psql.ts'
import { waitForQuery } from '../lib/wait-for-query.ts'

/** Maximum lag in bytes. A replica with more has a problem, or cannot keep up with the primary. */
export const MAX_LAG = 256 * 2 ** 20

interface Found {
  readonly state: string | null
  readonly behind: number
}

/**
 * A replica follows, as its primary reports it. A replica may answer and still be permanently behind, which only the primary can see. The
 * change is to wait up to 30 s.
 */
export const replicaFollowing = resource<{ readonly name: string }, Found | undefined>('replica', {
  id: ({ name }) => name,
  affects: 'itself',
  read: ({ name }) => queryRow<Found>(replicaRow(name)),
  diff: (_params, have) =>
    compare(
      { state: 'streaming', behind: 'at most 256 MiB' },
      have && {
        state: have.state ?? 'not connected',
        behind: have.behind > MAX_LAG ? `${have.behind} bytes` : 'at most 256 MiB',
      },
    ),
  apply: ({ name }) => [
    waitForQuery({
      query: `select state = 'streaming' and behind <= ${MAX_LAG} from (${replicaRow(name)}) as seen`,
      otherwise: sh`echo ${`${name} still does not follow after 30 s. State, and bytes behind:`}
    "$psql" -XAtqw -F ' ' -d postgres -c ${replicaRow(name)}`,
    }),
  ],
})

/** Returns one row, also without a connection. */
function replicaRow(name: string): string {
  return `select max(state) as state, coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)), 0)::bigint as behind
    from pg_stat_replication where application_name = ${literal(name)} and not pg_is_in_recovery() and state <> 'backup'`
}
