import { compare, resource } from 'provision-ts'
import { identifier, literal, row, statements } from '../psql.ts'

export interface PostgresDatabaseParams {
  readonly name: string
  /** The one role, beside the superuser, that may connect. */
  readonly user: string
}

interface Found {
  readonly encoding: string
  readonly everyone: boolean
  readonly user: boolean
}

/** A database of the superuser, in UTF-8, that one role may connect to and nobody else. */
export const postgresDatabase = resource<PostgresDatabaseParams, Found | undefined>('database', {
  id: ({ name }) => name,
  reach: 'own',
  read: ({ name, user }) =>
    // For a role that is not there yet the privilege would be an error, not false.
    row<Found>(
      `select pg_encoding_to_char(encoding) as encoding, has_database_privilege('public', oid, 'connect') as everyone,
         coalesce((select has_database_privilege(r.oid, d.oid, 'connect') from pg_roles r where rolname = ${literal(user)}), false) as user
       from pg_database d where datname = ${literal(name)}`,
    ),
  diff: ({ user }, have) =>
    compare(
      { encoding: 'UTF8', 'may connect': user },
      have && { encoding: have.encoding, 'may connect': whoConnects(user, have) },
    ),
  apply: ({ name, user }, have) => [
    ...(have
      ? []
      : [statements('postgres', `create database ${identifier(name)} encoding 'UTF8' template template0`)]),
    statements(
      'postgres',
      `revoke all on database ${identifier(name)} from public`,
      `grant connect, temporary on database ${identifier(name)} to ${identifier(user)}`,
    ),
  ],
})

function whoConnects(name: string, { everyone, user }: Found): string {
  return everyone ? 'everyone' : user ? name : 'nobody'
}
