import { resource } from 'provision-ts'
import { identifier, literal, queryRow, sqlCommand } from '../../postgres/lib/psql.ts'

const FUNCTIONS = [
  'pg_catalog.pg_ls_dir(text, boolean, boolean)',
  'pg_catalog.pg_stat_file(text, boolean)',
  'pg_catalog.pg_read_binary_file(text)',
  'pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean)',
]

/**
 * Allows a role to run pg_rewind against this primary. A replication role can read the same files by a base backup, so it gains no access.
 */
export const rewindRights = resource<{ readonly role: string }, { readonly all: boolean } | undefined>(
  'database rights',
  {
    id: ({ role }) => `of ${role}, to rewind`,
    affects: 'itself',
    read: ({ role }) =>
      queryRow(
        `select bool_and(has_function_privilege(rolname, f, 'execute')) as all
           from pg_roles, unnest(array[${FUNCTIONS.map(literal).join(', ')}]) as f where rolname = ${literal(role)} having count(*) > 0`,
      ),
    diff: (_params, have) => (have?.all ? undefined : { action: have ? 'change' : 'create', fields: [] }),
    apply: ({ role }) => [
      sqlCommand('postgres', ...FUNCTIONS.map((one) => `grant execute on function ${one} to ${identifier(role)}`)),
    ],
  },
)
