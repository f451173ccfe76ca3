import { compare, resource } from 'provision-ts'
import { identifier, literal, row, statements } from '../psql.ts'

export interface PostgresSchemaParams {
  readonly database: string
  readonly name: string
  readonly owner: string
}

interface Found {
  readonly owner: string | null
  readonly everyone: boolean
}

/** A schema and whose it is; in the schema `public` of that database nobody else may make anything. */
export const postgresSchema = resource<PostgresSchemaParams, Found | undefined>('database schema', {
  id: ({ database, name }) => `${database}.${name}`,
  reach: 'own',
  read: ({ database, name }) =>
    row<Found>(
      `select (select pg_get_userbyid(nspowner) from pg_namespace where nspname = ${literal(name)}) as owner,
         exists (select from pg_namespace where nspname = 'public' and has_schema_privilege('public', oid, 'create')) as everyone`,
      database,
    ),
  diff: ({ owner }, have) => {
    const there = have && have.owner !== null ? { ...have, owner: have.owner } : undefined
    return compare(
      { owner, public: 'closed' },
      there && { owner: there.owner, public: there.everyone ? 'open to all' : 'closed' },
    )
  },
  apply: ({ database, name, owner }) => [
    statements(
      database,
      `create schema if not exists ${identifier(name)} authorization ${identifier(owner)}`,
      `alter schema ${identifier(name)} owner to ${identifier(owner)}`,
      `do $$ begin if exists (select from pg_namespace where nspname = 'public') then revoke create on schema public from public; end if; end $$`,
    ),
  ],
})
