/**
 * Roles, databases, schemas, extensions and rights of a PostgreSQL server that runs on the host, by whatever role it was set up.
 *
 * @module provision-ts/roles/postgres-databases.js
 */

export { type PostgresDatabaseOptions, postgresDatabase } from './postgres/resources/database.ts'
export { postgresExtension } from './postgres/resources/database-extension.ts'
export { type PostgresGrantsOptions, postgresGrants } from './postgres/resources/database-grants.ts'
export { type PostgresRoleOptions, postgresRole } from './postgres/resources/database-role.ts'
export { type PostgresSchemaOptions, postgresSchema } from './postgres/resources/database-schema.ts'
