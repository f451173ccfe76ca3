import { compare, resource, type Step, type StepOptions } from 'provision-ts'
import { identifier, literal, queryRow, sqlCommand, storeRow } from '../lib/psql.ts'

/** Options of {@link postgresDatabase}. */
export interface PostgresDatabaseOptions extends StepOptions {
  /** The roles that may connect, besides the superuser. They can create nothing, not even temporary tables. @default none */
  readonly users?: readonly string[]
}

/**
 * A UTF-8 database that belongs to the superuser of the PostgreSQL server. Only the given roles may connect.
 *
 * @example postgresDatabase('shop', { users: ['shop', 'reports'] })
 */
export function postgresDatabase(name: string, { users = [], ...options }: PostgresDatabaseOptions = {}): Step {
  return databaseStep({ name, users }, options)
}

interface DatabaseParams {
  readonly name: string
  readonly users: readonly string[]
}

interface Found {
  readonly encoding: string
  /** Privileges by role, such as `CONNECT of notes`; `everyone` for public. */
  readonly rights: string
}

const databaseStep = resource<DatabaseParams, Found | undefined>('database', {
  id: ({ name }) => name,
  affects: 'itself',
  read: ({ name }) => queryRow<Found>(queryOf(name)),
  diff: ({ users }, have) => compare({ encoding: 'UTF8', rights: rightsOf(users) }, have),
  apply: ({ name, users }, have) => [
    ...(have ? [] : [sqlCommand('postgres', `create database ${identifier(name)} encoding 'UTF8' template template0`)]),
    sqlCommand(
      'postgres',
      `revoke all on database ${identifier(name)} from public`,
      ...users.flatMap((user) => [
        `revoke all on database ${identifier(name)} from ${identifier(user)}`,
        `grant connect on database ${identifier(name)} to ${identifier(user)}`,
      ]),
    ),
  ],
  simulate: ({ name, users }, host) => storeRow(host, queryOf(name), { encoding: 'UTF8', rights: rightsOf(users) }),
})

function queryOf(name: string): string {
  return `select pg_encoding_to_char(encoding) as encoding,
       (select coalesce(string_agg(right_of, ', ' order by right_of), '') from (
         select privilege_type || ' of ' || case grantee when 0 then 'everyone' else pg_get_userbyid(grantee) end as right_of
           from aclexplode(coalesce(datacl, acldefault('d', datdba))) where grantee <> datdba) as held) as rights
     from pg_database where datname = ${literal(name)}`
}

function rightsOf(users: readonly string[]): string {
  return users
    .map((user) => `CONNECT of ${user}`)
    .sort()
    .join(', ')
}
