import { compare, resource, sh } from 'provision-ts'
import { literal, queryRow } from '../lib/psql.ts'
import { waitForQuery } from '../lib/wait-for-query.ts'

/** Bytes. One that is further behind has a trouble of its own, or a primary that writes faster than it reads. */
export const MOST_BEHIND = 256 * 2 ** 20

interface Found {
  readonly state: string | null
  readonly behind: number
}

/**
 * That a replica follows, as its primary sees it. A replica may run, answer and believe that it receives, and yet be left behind for
 * good; only the primary knows how far it has written. The change is to wait for it, half a minute at most.
 */
export const replicaFollowing = resource<{ readonly name: string }, Found | undefined>('replica', {
  id: ({ name }) => name,
  affects: 'itself',
  read: ({ name }) => queryRow<Found>(seen(name)),
  diff: (_params, have) =>
    compare(
      { state: 'streaming', behind: 'at most 256 MiB' },
      have && {
        state: have.state ?? 'not connected',
        behind: have.behind > MOST_BEHIND ? `${have.behind} bytes` : 'at most 256 MiB',
      },
    ),
  apply: ({ name }) => [
    waitForQuery({
      query: `select state = 'streaming' and behind <= ${MOST_BEHIND} from (${seen(name)}) as seen`,
      otherwise: sh`echo ${`${name} does not follow as it should, 30 s later: state, and bytes behind:`}
    "$psql" -XAtqw -F ' ' -d postgres -c ${seen(name)}`,
    }),
  ],
})

/** One row, whether it is connected or not. */
function seen(name: string): string {
  return `select max(state) as state, coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)), 0)::bigint as behind
    from pg_stat_replication where application_name = ${literal(name)} and not pg_is_in_recovery() and state <> 'backup'`
}
