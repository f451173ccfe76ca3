import type { Query } from './pool.ts'

/** The version of the schema that this release needs: that of the newest file in `migrations`. A later one fits as well. */
export const schemaVersion = 1

/**
 * Holds the schema against what this release needs. It is changed by whoever owns it, before the release begins: this role may not.
 *
 * @throws Error that tells both versions
 */
export async function checkSchema(query: Query): Promise<void> {
  // Not to_regclass: it looks into the session's own cache, which may still say "no such table".
  const [table] = await query(
    `SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'notes' AND tablename = 'migration') AS there`,
  )
  const [row] =
    table?.['there'] === true
      ? await query('SELECT coalesce(max(version), 0) AS version FROM notes.migration')
      : []
  const version = Number(row?.['version'] ?? 0)
  if (version < schemaVersion)
    throw new Error(`it is at version ${version}, and this release needs ${schemaVersion}: migrate it first`)
}
