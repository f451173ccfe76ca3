import { resource } from 'provision-ts'
import { identifier, literal, queryRow, sqlCommand } from '../../postgres/lib/psql.ts'

/** Allows a role to read all statistics and settings, and no data. */
export const monitorRights = resource<{ readonly role: string }, { readonly has: boolean } | undefined>(
  'database rights',
  {
    id: ({ role }) => `of ${role}, to read statistics`,
    affects: 'itself',
    read: ({ role }) =>
      queryRow(`select pg_has_role(oid, 'pg_monitor', 'member') as has from pg_roles where rolname = ${literal(role)}`),
    diff: (_params, have) => (have?.has ? undefined : { action: have ? 'change' : 'create', fields: [] }),
    apply: ({ role }) => [sqlCommand('postgres', `grant pg_monitor to ${identifier(role)}`)],
  },
)
