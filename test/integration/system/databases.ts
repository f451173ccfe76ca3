import {
  postgresDatabase,
  postgresExtension,
  postgresGrants,
  postgresRole,
  postgresSchema,
} from '../../../roles/postgres-databases.ts'
import { pkg, Secret, service } from '../../../src/index.ts'
import type { Cases } from './case.ts'

const psql = (sql: string) =>
  `setpriv --reuid postgres --regid postgres --init-groups psql -XAtq -d shop -c "${sql}" 2>&1`

const steps = (password: string) => [
  pkg('postgresql'),
  service('postgresql'),
  postgresRole('readers', { login: false }),
  postgresRole('shop_owner'),
  postgresRole('shop', { password: new Secret(() => password), memberOf: ['readers'] }),
  postgresRole('reports', { createDatabases: true }),
  postgresDatabase('shop', { users: ['shop_owner', 'shop', 'reports'] }),
  postgresSchema('shop', 'shop', { owner: 'shop_owner', user: 'shop' }),
  postgresExtension('shop', 'pg_trgm'),
  postgresGrants('shop', 'reports', {
    ...{ schema: 'shop', owner: 'shop_owner', tables: ['SELECT'], sequences: ['USAGE'] },
  }),
]

/** PostgreSQL of Debian, which no role has set up. */
export const DATABASES: Cases = {
  'a database with its roles, whose rights include tables that are created later': {
    steps: steps('one'),
    look: [
      psql('set role shop_owner; create table shop.a (id serial primary key)'),
      psql('set role reports; select count(*) from shop.a'),
      psql('set role reports; insert into shop.a default values'),
    ].join('; '),
    shows: /^0\nERROR: {2}permission denied for (?:table|sequence) a/,
  },
  'the same password, whose verifier stays': {
    prepare: `${psql("select rolpassword from pg_authid where rolname = 'shop'")} > /run/verifier`,
    steps: steps('one'),
    plan: [],
    look: `${psql("select rolpassword from pg_authid where rolname = 'shop'")} | cmp - /run/verifier && echo equal`,
    shows: 'equal',
  },
  'another password, with which a program logs in': {
    steps: steps('two'),
    plan: ['change database role shop'],
    look: "PGPASSWORD=two psql -h localhost -U shop -d shop -XAtqc 'select 1'; grep -l two /var/log/postgresql/*",
    shows: '1',
  },
  'rights that were granted by hand': {
    prepare: psql('grant insert on shop.a to reports; set role shop_owner; create table shop.b (id int)'),
    steps: steps('two'),
    plan: ['change database grants shop.shop to reports'],
    look: psql(
      "select has_table_privilege('reports', 'shop.a', 'insert'), has_table_privilege('reports', 'shop.b', 'select')",
    ),
    shows: 'f|t',
  },
  'a table of the superuser in the schema': {
    prepare: psql('create table shop.c (id int)'),
    steps: steps('two'),
    fails: 'database schema shop.shop: The schema shop.shop has objects of postgres',
    look: psql('drop table shop.c'),
    shows: '',
  },
  'no rights': {
    steps: postgresGrants('shop', 'reports', { schema: 'shop', owner: 'shop_owner' }),
    plan: ['change database grants shop.shop to reports'],
    look: psql("select has_table_privilege('reports', 'shop.a', 'select')"),
    shows: 'f',
  },
  'no extension': {
    steps: postgresExtension.absent('shop', 'pg_trgm'),
    plan: ['remove database extension shop.pg_trgm'],
  },
  'an extension that no package has': {
    steps: postgresExtension('shop', 'unknown'),
    fails: 'database extension shop.unknown: The PostgreSQL server has no extension unknown',
  },
}
