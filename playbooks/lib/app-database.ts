import { type Answers, after, askEach, type Build, delegateTo, runOnce, type Steps } from 'provision-ts'
import { primaryOf } from '../../roles/postgres/index.ts'
import {
  migrationsIn,
  postgresMigrations,
  type SchemaVersion,
  schemaVersion,
} from '../../roles/postgres/resources/migrations.ts'
import type { Site } from '../schema.ts'

/** The database of the application, whose schema it is, and who reads and writes rows in it. */
export const NOTES = { name: 'notes', owner: 'notes_owner', user: 'notes' } as const

/**
 * The schema that a build of this machine needs, before any host runs that. Where the build is one that hosts have already, the schema
 * has it too: versions only go up, and each fits the release before.
 */
export function schema(
  { db }: Site,
  { directory }: Build,
  versions: readonly (SchemaVersion | undefined)[],
): Steps {
  if (directory === undefined) return []
  const migrations = migrationsIn(`${directory}/migrations`)
  const known = versions.filter((one) => one !== undefined)
  if (known.length > 0 && known.every(({ version }) => version >= migrations.length)) return []
  const { name, owner } = NOTES
  return runOnce(
    after(primaryOf(db), (primary) =>
      delegateTo(primary, postgresMigrations({ database: name, schema: name, owner, migrations })),
    ),
  )
}

const SCHEMA = schemaVersion(NOTES.name, NOTES.name)

/** With the versions that the databases say their schema is at. Asked together: one after the other they would take a round trip each. */
export function withSchema(release: Answers<Build>, { db }: Site) {
  const found = askEach(db, SCHEMA)
  return {
    asks: [...release.asks, ...found.asks],
    value: (answerTo: Parameters<typeof release.value>[0]) => ({
      chosen: release.value(answerTo),
      versions: found.value(answerTo).map(({ answer }) => answer),
    }),
  } satisfies Answers<unknown>
}
