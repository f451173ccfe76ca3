import { compare, resource, sh } from 'provision-ts'
import { literal, queryRow } from '../../postgres/lib/psql.ts'
import { waitForQuery } from '../../postgres/lib/wait-for-query.ts'

interface WalReceiverParams {
  /** The primary's address. */
  readonly from: string
  readonly slot: string
  /** The log file of the server. */
  readonly log: string
}

interface Found {
  readonly state: string
  readonly from: string | null
  readonly slot: string | null
}

/**
 * The replica receives WAL of its primary. A running server may be permanently behind, so the WAL receiver is checked. The change is to wait up
 * to 30 s.
 */
export const walReceiver = resource<WalReceiverParams, Found | undefined>('replication', {
  id: ({ from }) => `from ${from}`,
  affects: 'itself',
  read: () =>
    queryRow<Found>('select status as state, sender_host as from, slot_name as slot from pg_stat_wal_receiver'),
  diff: ({ from, slot }, have) => compare({ state: 'streaming', from, slot }, have && present(have)),
  apply: ({ from, slot, log }) => [
    waitForQuery({
      query: streaming(from, slot),
      otherwise: sh`printf '%s\n' ${`no WAL from ${from} after 30 s. Log of the server:`}
    tail -n 100 ${log} | grep -E 'FATAL|ERROR|PANIC|waiting' | tail -n 6`,
    }),
  ],
})

function present({ state, from, slot }: Found) {
  return { state, from: from ?? 'none', slot: slot ?? 'none' }
}

function streaming(from: string, slot: string): string {
  return `select count(*) = 1 from pg_stat_wal_receiver where status = 'streaming' and sender_host = ${literal(from)} and slot_name = ${literal(slot)}`
}
