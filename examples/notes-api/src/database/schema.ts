import type { Query } from './pool.ts'

/** Each is applied once, in this order. Never change one that was released: add the next. */
const migrations: readonly string[] = [
  `CREATE TABLE notes.note (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     text text NOT NULL CHECK (char_length(text) BETWEEN 1 AND 1000),
     host text NOT NULL,
     created_at timestamptz NOT NULL DEFAULT now(),
     idempotency_key text NOT NULL UNIQUE
   )`,
]

/** Any number, the same in every instance: who holds it migrates, the others wait and then find nothing to do. */
const lock = 7_310_427_001

/**
 * Brings the tables of the schema `notes` up to date. The schema itself, and a role that owns it, must exist.
 * Safe to run from several instances at once, and cheap when there is nothing to do.
 */
export async function migrate(query: Query): Promise<void> {
  if ((await version(query)) >= migrations.length) return
  await query('BEGIN')
  try {
    await query('SELECT pg_advisory_xact_lock($1)', [lock])
    for (const [i, statement] of migrations.slice(await version(query)).entries()) {
      if (i === 0)
        await query(`CREATE TABLE IF NOT EXISTS notes.migration (
                       version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`)
      await query(statement)
      await query('INSERT INTO notes.migration SELECT coalesce(max(version), 0) + 1 FROM notes.migration')
    }
    await query('COMMIT')
  } catch (error) {
    await query('ROLLBACK').catch(() => {})
    throw error
  }
}

async function version(query: Query): Promise<number> {
  // Not to_regclass: it looks into the session's own cache, which after waiting for the lock may still say "no such table".
  const [table] = await query(
    `SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'notes' AND tablename = 'migration') AS there`,
  )
  if (table?.['there'] !== true) return 0
  const [row] = await query('SELECT coalesce(max(version), 0) AS version FROM notes.migration')
  return Number(row?.['version'])
}
