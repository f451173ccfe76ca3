import { compare, resource, sh } from 'provision-ts'
import { literal, row } from '../psql.ts'

export interface StreamingParams {
  /** The primary's address. */
  readonly from: string
  readonly slot: string
  /** Where the server writes its log. */
  readonly log: string
}

interface Found {
  readonly state: string
  readonly from: string | null
  readonly slot: string | null
}

/**
 * That a replica really gets what its primary writes. A server that runs and answers may have been left behind for good, so the
 * receiver itself is asked. The change is to wait for it, half a minute at most.
 */
export const postgresStreaming = resource<StreamingParams, Found | undefined>('replication', {
  id: ({ from }) => `from ${from}`,
  reach: 'own',
  read: () =>
    row<Found>('select status as state, sender_host as from, slot_name as slot from pg_stat_wal_receiver'),
  diff: ({ from, slot }, have) => compare({ state: 'streaming', from, slot }, have && present(have)),
  apply: ({ from, slot, log }) => [
    {
      script: sh`
psql=$(ls -d /usr/lib/postgresql/*/bin/psql | tail -n 1)
export PGHOST=/run/postgresql PGPORT=5432 PGCONNECT_TIMEOUT=5
end=$(($(date +%s) + 30))
until "$psql" -XAtqw -d postgres -c ${streaming(from, slot)} 2>/dev/null | grep -qx 1; do
  [ "$(date +%s)" -lt "$end" ] || {
    printf '%s\n' ${`nothing streams from ${from} to here after 30 s; the log says:`}
    tail -n 100 ${log} | grep -E 'FATAL|ERROR|PANIC|waiting' | tail -n 6
    exit 1
  } >&2
  sleep 0.2
done`,
      as: 'postgres',
      timeout: '2m',
    },
  ],
})

function present({ state, from, slot }: Found) {
  return { state, from: from ?? 'nowhere', slot: slot ?? 'none' }
}

function streaming(from: string, slot: string): string {
  return `select count(*) from pg_stat_wal_receiver where status = 'streaming' and sender_host = ${literal(from)} and slot_name = ${literal(slot)}`
}
