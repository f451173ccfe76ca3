import { type Diff, Problem, resource, type Step, type StepOptions } from 'provision-ts'
import { identifier, literal, queryRow, sqlCommand, storeRow } from '../lib/psql.ts'

/**
 * An extension in a database of the PostgreSQL server. `postgresExtension.absent(database, name)` removes it; objects that need it prevent that.
 *
 * @param database an existing database, such as that of a step before this one
 * @throws Problem (on the host) if no package of the host has the extension
 * @example postgresExtension('shop', 'pg_trgm')
 */
export function postgresExtension(database: string, name: string, options: StepOptions = {}): Step {
  return extensionStep({ database, name, isWanted: true }, options)
}

postgresExtension.absent = (database: string, name: string, options: StepOptions = {}): Step =>
  extensionStep({ database, name, isWanted: false }, options)

interface ExtensionParams {
  readonly database: string
  readonly name: string
  readonly isWanted: boolean
}

interface Found {
  readonly version: string | null
  readonly available: boolean
}

const extensionStep = resource<ExtensionParams, Found | undefined>('database extension', {
  id: ({ database, name }) => `${database}.${name}`,
  affects: 'itself',
  read: ({ database, name }) => queryRow<Found>(queryOf(name), database),
  diff: ({ database, name, isWanted }, have): Diff | undefined => {
    const version = have?.version ?? undefined
    if (!isWanted && !have)
      return {
        ...{ action: 'remove', fields: [] },
        problem: new Problem(`The database ${database} does not answer, so it is unknown if it has ${name}`, {
          next: 'Start PostgreSQL or create the database in a step before this one.',
        }),
      }
    if (isWanted === (version !== undefined)) return undefined
    if (!isWanted) return { action: 'remove', fields: [{ name: 'version', from: version ?? '', to: 'absent' }] }
    const found: Diff = { action: 'create', fields: [] }
    if (!have || have.available) return found
    const problem = new Problem(`The PostgreSQL server has no extension ${name}`, {
      next: 'Install its package in a step before this one.',
    })
    return { ...found, problem }
  },
  apply: ({ database, name, isWanted }) => [
    sqlCommand(
      database,
      `${isWanted ? 'create extension if not exists' : 'drop extension if exists'} ${identifier(name)}`,
    ),
  ],
  simulate: ({ database, name, isWanted }, host) =>
    storeRow(host, queryOf(name), { version: isWanted ? '1' : null, available: true }, database),
})

function queryOf(name: string): string {
  return `select (select extversion from pg_extension where extname = ${literal(name)}) as version,
     exists (select from pg_available_extensions where name = ${literal(name)}) as available`
}
