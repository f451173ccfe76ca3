import { compare, Problem, resource, type Step, type StepOptions } from 'provision-ts'
import { identifier, literal, queryRow, sqlCommand, storeRow } from '../lib/psql.ts'

/** Options of {@link postgresSchema}. */
export interface PostgresSchemaOptions extends StepOptions {
  /** The owner of the schema and its objects. */
  readonly owner: string
  /** Reads and writes rows. It can create, change and drop nothing, unless it is the owner. */
  readonly user: string
}

/**
 * A schema of one role, in which another role may read and write rows of all new tables. A migration may revoke that for a table, and no run
 * grants it again. No role may create objects in the schema `public` of the database.
 *
 * @param database an existing database, such as that of a step before this one
 * @example postgresSchema('shop', 'shop', { owner: 'shop_owner', user: 'shop' })
 */
export function postgresSchema(
  database: string,
  name: string,
  { owner, user, ...options }: PostgresSchemaOptions,
): Step {
  return schemaStep({ database, name, owner, user }, options)
}

interface SchemaParams {
  readonly database: string
  readonly name: string
  readonly owner: string
  readonly user: string
}

interface Found {
  readonly owner: string | null
  readonly everyone: boolean
  readonly uses: string | null
  readonly rows: string | null
  readonly sequences: string | null
  readonly others: string | null
}

const schemaStep = resource<SchemaParams, Found | undefined>('database schema', {
  id: ({ database, name }) => `${database}.${name}`,
  affects: 'itself',
  read: (params) => queryRow<Found>(queryOf(params), params.database),
  diff: ({ database, name, owner, user }, have) => {
    const there = have && have.owner !== null ? { ...have, owner: have.owner } : undefined
    const others = there?.others?.split(' ').filter((one) => one !== user) ?? []
    if (others.length > 0)
      throw new Problem(`The schema ${database}.${name} has objects of ${others.join(', ')}`, {
        next: `Give them to ${owner} on the host: reassign owned by …, or alter table … owner to. Nothing was changed.`,
      })
    const separate = owner !== user
    return compare(
      {
        owner,
        public: 'closed',
        ...(separate && {
          [`${user} has`]: USAGE,
          [`${user} gets on tables`]: ROWS,
          [`${user} gets on sequences`]: SEQUENCES,
        }),
        'objects of others': 'none',
      },
      there && {
        owner: there.owner,
        public: there.everyone ? 'open to all' : 'closed',
        ...(separate && {
          [`${user} has`]: there.uses ?? 'nothing',
          [`${user} gets on tables`]: there.rows ?? 'nothing',
          [`${user} gets on sequences`]: there.sequences ?? 'nothing',
        }),
        'objects of others': there.others ?? 'none',
      },
    )
  },
  apply: ({ database, name, owner, user }, have) => {
    const [schema, whose, who] = [name, owner, user].map(identifier)
    return [
      sqlCommand(
        database,
        `create schema if not exists ${schema} authorization ${whose}`,
        `alter schema ${schema} owner to ${whose}`,
        `do $$ begin if exists (select from pg_namespace where nspname = 'public') then revoke create on schema public from public; end if; end $$`,
        ...(owner === user ? [] : rowRights({ schema, whose, who })),
        // Objects from before there was an owner. The user keeps its rights on rows.
        ...(owner !== user && have?.others?.split(' ').includes(user)
          ? [
              `reassign owned by ${who} to ${whose}`,
              `grant select, insert, update, delete on all tables in schema ${schema} to ${who}`,
              `grant usage, select on all sequences in schema ${schema} to ${who}`,
            ]
          : []),
      ),
    ]
  },
  simulate: (params, host) => {
    const row: Found = {
      ...{ owner: params.owner, everyone: false, uses: USAGE, rows: ROWS, sequences: SEQUENCES, others: null },
    }
    storeRow(host, queryOf(params), row, params.database)
  },
})

function queryOf({ name, owner, user }: SchemaParams): string {
  return `select pg_get_userbyid(nspowner) as owner,
     exists (select from pg_namespace where nspname = 'public' and has_schema_privilege('public', oid, 'create')) as everyone,
     (select string_agg(privilege_type, ' ' order by privilege_type) from aclexplode(nspacl)
     where pg_get_userbyid(grantee) = ${literal(user)}) as uses,
     ${defaults('r', owner, user)} as rows, ${defaults('S', owner, user)} as sequences,
     (select string_agg(distinct pg_get_userbyid(relowner), ' ') from pg_class
     where relnamespace = n.oid and pg_get_userbyid(relowner) <> ${literal(owner)}) as others
     from (select 1) as one left join pg_namespace n on nspname = ${literal(name)}`
}

interface Quoted {
  readonly schema: string | undefined
  readonly whose: string | undefined
  readonly who: string | undefined
}

function rowRights({ schema, whose, who }: Quoted): readonly string[] {
  const byDefault = `alter default privileges for role ${whose} in schema ${schema}`
  return [
    `revoke all on schema ${schema} from ${who}`,
    `grant usage on schema ${schema} to ${who}`,
    `${byDefault} revoke all on tables from ${who}`,
    `${byDefault} grant select, insert, update, delete on tables to ${who}`,
    `${byDefault} revoke all on sequences from ${who}`,
    `${byDefault} grant usage, select on sequences to ${who}`,
  ]
}

const USAGE = 'USAGE'
const ROWS = 'DELETE INSERT SELECT UPDATE'
const SEQUENCES = 'SELECT USAGE'

/** Returns the default privileges of the user on new tables (`r`) or sequences (`S`) of the owner. */
function defaults(kind: 'r' | 'S', owner: string, user: string): string {
  return `(select string_agg(privilege_type, ' ' order by privilege_type) from pg_default_acl d, aclexplode(defaclacl)
     where defaclnamespace = n.oid and defaclobjtype = '${kind}' and pg_get_userbyid(defaclrole) = ${literal(owner)}
       and pg_get_userbyid(grantee) = ${literal(user)})`
}
