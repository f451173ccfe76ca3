import { compare, resource, type Step, type StepOptions } from 'provision-ts'
import { identifier, literal, queryRow, sqlCommand, storeRow } from '../lib/psql.ts'

const TABLE_RIGHTS = ['DELETE', 'INSERT', 'REFERENCES', 'SELECT', 'TRIGGER', 'TRUNCATE', 'UPDATE'] as const
const SEQUENCE_RIGHTS = ['SELECT', 'UPDATE', 'USAGE'] as const

/** Options of {@link postgresGrants}. */
export interface PostgresGrantsOptions extends StepOptions {
  readonly schema: string
  /** The role that creates tables and sequences later: the same rights are the default for them. */
  readonly owner: string
  /** The rights on all tables and views. An empty list revokes them. @default none */
  readonly tables?: readonly (typeof TABLE_RIGHTS)[number][]
  /** The rights on all sequences. @default none */
  readonly sequences?: readonly (typeof SEQUENCE_RIGHTS)[number][]
}

/**
 * Exactly these rights of a role in a schema of the PostgreSQL server: on all tables and sequences that exist, and by default on those that
 * the owner creates later. The role may use the schema.
 *
 * @param database an existing database, such as that of a step before this one
 * @throws TypeError for an unknown right
 * @example postgresGrants('shop', 'reports', { schema: 'shop', owner: 'shop', tables: ['SELECT'] })
 */
export function postgresGrants(database: string, role: string, options: PostgresGrantsOptions): Step {
  const { schema, owner, tables = [], sequences = [], ...more } = options
  const listed = (all: readonly string[], known: readonly string[]) => {
    const unknown = all.find((one) => !known.includes(one))
    if (unknown !== undefined)
      throw new TypeError(`postgresGrants ${role}: "${unknown}" is not one of ${known.join(', ')}`)
    return [...new Set(all)].sort()
  }
  const rights = { tables: listed(tables, TABLE_RIGHTS), sequences: listed(sequences, SEQUENCE_RIGHTS) }
  return grantsStep({ database, role, schema, owner, ...rights }, more)
}

interface GrantsParams {
  readonly database: string
  readonly role: string
  readonly schema: string
  readonly owner: string
  readonly tables: readonly string[]
  readonly sequences: readonly string[]
}

/** Rights as sorted lists; several lists if objects differ, and null without objects. */
interface Found {
  readonly uses: boolean
  readonly tables: string | null
  readonly sequences: string | null
  readonly newTables: string | null
  readonly newSequences: string | null
}

const grantsStep = resource<GrantsParams, Found | undefined>('database grants', {
  id: ({ database, role, schema }) => `${database}.${schema} to ${role}`,
  affects: 'itself',
  read: (params) => queryRow<Found>(queryOf(params), params.database),
  diff: ({ tables, sequences }, have) => {
    const [onTables, onSequences] = [textOf(tables), textOf(sequences)]
    return compare(
      {
        'use of the schema': 'yes',
        ...{ tables: onTables, 'new tables': onTables, sequences: onSequences, 'new sequences': onSequences },
      },
      have && {
        'use of the schema': have.uses ? 'yes' : 'no',
        tables: have.tables ?? onTables,
        'new tables': have.newTables ?? NONE,
        sequences: have.sequences ?? onSequences,
        'new sequences': have.newSequences ?? NONE,
      },
    )
  },
  apply: ({ database, role, schema, owner, tables, sequences }) => {
    const [who, where, whose] = [role, schema, owner].map(identifier)
    const byDefault = `alter default privileges for role ${whose} in schema ${where}`
    const granted = (rights: readonly string[], kind: string) => [
      `revoke all on all ${kind} in schema ${where} from ${who}`,
      `${byDefault} revoke all on ${kind} from ${who}`,
      ...(rights.length === 0
        ? []
        : [
            `grant ${rights.join(', ')} on all ${kind} in schema ${where} to ${who}`,
            `${byDefault} grant ${rights.join(', ')} on ${kind} to ${who}`,
          ]),
    ]
    // In one transaction, programs never see the rights revoked.
    return [
      sqlCommand(
        database,
        'begin',
        `grant usage on schema ${where} to ${who}`,
        ...granted(tables, 'tables'),
        ...granted(sequences, 'sequences'),
        'commit',
      ),
    ]
  },
  simulate: (params, host) => {
    const [tables, sequences] = [textOf(params.tables), textOf(params.sequences)]
    const row: Found = { uses: true, tables, sequences, newTables: tables, newSequences: sequences }
    storeRow(host, queryOf(params), row, params.database)
  },
})

const NONE = 'nothing'

function textOf(rights: readonly string[]): string {
  return rights.join(' ') || NONE
}

function queryOf({ role, schema, owner }: GrantsParams): string {
  const held = (acl: string) =>
    `(select coalesce(string_agg(privilege_type, ' ' order by privilege_type), '${NONE}') from aclexplode(${acl})
       where pg_get_userbyid(grantee) = ${literal(role)})`
  const on = (kinds: string) =>
    `(select string_agg(distinct held, ' or ') from (select ${held('relacl')} as held from pg_class
       where relnamespace = n.oid and relkind in (${kinds})) as objects)`
  const later = (kind: 'r' | 'S') =>
    `(select ${held('defaclacl')} from pg_default_acl where defaclnamespace = n.oid and defaclobjtype = '${kind}'
       and pg_get_userbyid(defaclrole) = ${literal(owner)})`
  return `select ${held('nspacl')} like '%USAGE%' as uses, ${on(`'r', 'p', 'v', 'm', 'f'`)} as tables, ${on(`'S'`)} as sequences,
     ${later('r')} as "newTables", ${later('S')} as "newSequences" from pg_namespace n where nspname = ${literal(schema)}`
}
