import { type Answers, after, askEach, type Build, delegateTo, mapAnswers, runOnce, type Steps } from 'provision-ts'
import { primaryOf } from '../../roles/postgres/index.ts'
import { migrationsIn, postgresMigrations, schemaVersion } from '../../roles/postgres/resources/migrations.ts'
import { applicationDatabase } from '../lib/database-params.ts'
import type { Site } from '../schema.ts'

/** The versions of the application's schema that the database hosts report. */
export function schemaVersions(values: Site): Answers<readonly number[]> {
  const database = applicationDatabase(values)
  if (!database || values.application.migrations?.sql === undefined) return { asks: [], value: () => [] }
  const { name } = database
  const question = QUESTIONS.get(name) ?? schemaVersion(name, name)
  QUESTIONS.set(name, question)
  return mapAnswers(askEach(values.db, question), (all) =>
    all.flatMap(({ answer }) => (answer ? [answer.version] : [])),
  )
}

/** A host answers the same question once. */
const QUESTIONS = new Map<string, ReturnType<typeof schemaVersion>>()

/**
 * Migrates the schema on the primary, once and before any host runs the release. A release that hosts have already needs no migration:
 * versions only go up, and each is compatible with the release before it.
 */
export function migrateSchema(values: Site, { directory }: Build, versions: readonly number[]): Steps {
  const { sql } = values.application.migrations ?? {}
  const database = applicationDatabase(values)
  if (directory === undefined || sql === undefined || !database) return []
  const migrations = migrationsIn(`${directory}/${sql}`)
  if (versions.length > 0 && versions.every((version) => version >= migrations.length)) return []
  const { name, owner } = database
  return runOnce(
    after(primaryOf(values.db), (primary) =>
      delegateTo(primary, postgresMigrations({ database: name, schema: name, owner, migrations })),
    ),
  )
}
