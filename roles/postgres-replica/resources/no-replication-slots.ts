import { resource } from 'provision-ts'
import { literal, queryRow, sqlCommand } from '../../postgres/lib/psql.ts'

/**
 * Removes slots for database hosts from a replica. They remain from its time as a primary and would retain its WAL. It waits up to 30 s for
 * another replica that still follows this host and is about to follow the new primary.
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
  diff: (_params, have) => have && { action: 'remove', fields: [{ name: 'slots', from: have.names, to: 'none' }] },
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
