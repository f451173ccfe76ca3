import type { Query } from './pool.ts'

/** The schema version that this release needs: the number of the newest file in `migrations`. A later version is accepted, too. */
export const schemaVersion = 1

/**
 * Checks that the schema has the version that this release needs. The owner of the schema migrates it before the release
 * starts: the role of this service may not.
 *
 * @throws Error with both versions
 */
export async function checkSchema(query: Query): Promise<void> {
  // Not to_regclass: it uses the cache of the session, which may still say "no such table".
  const [table] = await query(
    `SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'notes' AND tablename = 'migration') AS there`,
  )
  const [row] =
    table?.['there'] === true ? await query('SELECT coalesce(max(version), 0) AS version FROM notes.migration') : []
  const version = Number(row?.['version'] ?? 0)
  if (version < schemaVersion)
    throw new Error(`it is at version ${version}, and this release needs ${schemaVersion}: migrate it first`)
}
