import { resource } from 'provision-ts'
import { literal, queryRow, sqlCommand } from '../../postgres/lib/psql.ts'

/**
 * A physical replication slot: the primary keeps WAL that its replica has not received yet, up to max_slot_wal_keep_size. It keeps nothing
 * before the first use by the replica.
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
    // The WAL that the replica needs is lost. A new slot is useful for a new copy, which must be taken by hand.
    if (have.state === 'lost') return { action: 'change', fields: [{ name: 'state', from: 'lost', to: 'new' }] }
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
