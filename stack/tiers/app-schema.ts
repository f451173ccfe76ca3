import { after, askEach, type Build, delegateTo, mapAnswers, runOnce, type Steps } from 'provision-ts'
import { primaryOf } from '../../roles/postgres/index.ts'
import { migrationsIn, postgresMigrations, schemaVersion } from '../../roles/postgres/resources/migrations.ts'
import { NOTES } from '../lib/database-params.ts'
import type { Site } from '../schema.ts'

/** The versions of the application's schema that the database hosts report. */
export function schemaVersions({ db }: Site) {
  return mapAnswers(askEach(db, SCHEMA), (all) => all.flatMap(({ answer }) => (answer ? [answer.version] : [])))
}

const SCHEMA = schemaVersion(NOTES.name, NOTES.name)

/**
 * Migrates the schema on the primary, once and before any host runs the release. A release that hosts have already needs no migration:
 * versions only go up, and each is compatible with the release before it.
 */
export function migrateSchema({ db }: Site, { directory }: Build, versions: readonly number[]): Steps {
  if (directory === undefined) return []
  const migrations = migrationsIn(`${directory}/migrations`)
  if (versions.length > 0 && versions.every((version) => version >= migrations.length)) return []
  const { name, owner } = NOTES
  return runOnce(
    after(primaryOf(db), (primary) =>
      delegateTo(primary, postgresMigrations({ database: name, schema: name, owner, migrations })),
    ),
  )
}
