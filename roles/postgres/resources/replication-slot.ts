import { resource } from 'provision-ts'
import { literal, queryRow, sqlCommand } from '../lib/psql.ts'

/**
 * A physical replication slot: the primary keeps for its replica what that has not got yet, up to max_slot_wal_keep_size. It
 * keeps nothing before the replica's first use of it.
 */
export const replicationSlot = resource<
  { readonly name: string },
  { readonly type: string; readonly state: string | null } | undefined
>('replication slot', {
  id: ({ name }) => name,
  affects: 'itself',
  read: ({ name }) =>
    queryRow(
      `select slot_type as type, wal_status as state from pg_replication_slots where slot_name = ${literal(name)}`,
    ),
  diff: (_params, have) => {
    if (!have) return { action: 'create', fields: [] }
    // What the replica still needed is gone for good. The slot is of use again for a new copy, which must be taken by hand.
    if (have.state === 'lost')
      return { action: 'change', fields: [{ name: 'state', from: 'lost', to: 'new' }] }
    return undefined
  },
  apply: ({ name }, have) => [
    sqlCommand(
      'postgres',
      ...(have ? [`select pg_drop_replication_slot(${literal(name)})`] : []),
      `select pg_create_physical_replication_slot(${literal(name)})`,
    ),
  ],
})

/**
 * No slots on a replica that are named for database hosts: left from its time as a primary, they would hold back its own WAL. Another
 * replica that still follows this one is just about to follow the new primary, and is waited for, half a minute at most.
 */
export const noReplicationSlots = resource<
  { readonly names: readonly string[] },
  { readonly names: string } | undefined
>('replication slots', {
  id: () => 'of an earlier primary',
  affects: 'itself',
  read: ({ names }) =>
    queryRow(
      `select string_agg(slot_name, ' ' order by slot_name) as names from pg_replication_slots
         where slot_type = 'physical' and slot_name in (${names.map(literal).join(', ')}) having count(*) > 0`,
    ),
  diff: (_params, have) =>
    have && { action: 'remove', fields: [{ name: 'slots', from: have.names, to: 'none' }] },
  apply: (_params, have) => [
    sqlCommand(
      'postgres',
      ...(have?.names.split(' ') ?? []).flatMap((name) => [
        `do $$ begin for n in 1..150 loop exit when not exists (${inUse(name)}); perform pg_sleep(0.2); end loop; end $$`,
        `select pg_drop_replication_slot(${literal(name)})`,
      ]),
    ),
  ],
})

function inUse(name: string): string {
  return `select from pg_replication_slots where active and slot_name = ${literal(name)}`
}
