import { readdirSync, readFileSync } from 'node:fs'
import { ask, type Command, Problem, type Question, type Read, resource, sh } from 'provision-ts'
import { identifier, queryRow } from '../lib/psql.ts'

interface MigrationsParams {
  readonly database: string
  /** The schema, which exists with its owner. */
  readonly schema: string
  readonly owner: string
  /** In their order. */
  readonly migrations: readonly Migration[]
}

/** A migration from one version of a schema to the next, in one transaction. */
export interface Migration {
  readonly version: number
  /** The name of its file. */
  readonly name: string
  readonly sql: string
}

/** In bytes. It is an argument of a program. */
const MAX_SIZE = 100_000

/**
 * Reads the migrations of a directory: files such as `0002-title.sql`, numbered from 1 without a gap.
 *
 * @throws Problem if the numbers have a gap, or a file is larger than 100 kB
 */
export function migrationsIn(directory: string): readonly Migration[] {
  const names = readdirSync(directory).sort()
  return names.map((name, i) => {
    const version = Number(/^(\d{4})-[a-z0-9-]+\.sql$/.exec(name)?.[1])
    if (version !== i + 1)
      throw new Problem(`${directory}/${name} is not a migration, or not the next one`, {
        next: `Number the files from 0001 without a gap: ${String(i + 1).padStart(4, '0')}-what-it-does.sql.`,
      })
    const sql = readFileSync(`${directory}/${name}`, 'utf8')
    if (Buffer.byteLength(sql) > MAX_SIZE)
      throw new Problem(`${directory}/${name} is larger than ${MAX_SIZE / 1000} kB`, {
        next: 'A migration changes the schema. Let the application fill large tables in small transactions.',
      })
    return { version, name, sql }
  })
}

/**
 * A schema has at least the last of these versions. Each migration runs once, as the owner of the schema, in one transaction with the record
 * that it ran.
 */
export const postgresMigrations = resource<MigrationsParams, SchemaVersion | undefined>('database migrations', {
  id: ({ database, schema }) => `${database}.${schema}`,
  affects: 'itself',
  read: ({ database, schema }) => versionOf(database, schema),
  diff: ({ migrations }, have) => {
    const pending = pendingOf(migrations, have)
    return pending.length === 0
      ? undefined
      : { action: 'change', fields: pending.map(({ name }) => ({ name: 'migration', to: name })) }
  },
  apply: (params, have) => pendingOf(params.migrations, have).map((one) => runMigration(params, one)),
})

interface SchemaVersion {
  readonly version: number
}

/** The version of a schema on a host; undefined without a table of migrations, or without a database. */
export function schemaVersion(database: string, schema: string): Question<SchemaVersion | undefined> {
  return ask(`the version of the schema ${schema}`, versionOf(database, schema))
}

function versionOf(database: string, schema: string): Read<SchemaVersion | undefined> {
  return queryRow(`select coalesce(max(version), 0) as version from ${migrationTable(schema)}`, database)
}

/** Undefined means that no migration ran yet. The key of the table refuses one that ran. */
function pendingOf(migrations: readonly Migration[], have: SchemaVersion | undefined) {
  return migrations.filter(({ version }) => version > (have?.version ?? 0))
}

/** Seconds to wait for a lock. Later sessions in the queue wait too, so it gives up and tries again. */
const LOCKED = 2
const TRIES = 15

/** The table entry comes first: of two runs at the same time, one waits for it and then does nothing. */
function runMigration({ database, schema, owner }: MigrationsParams, { version, name, sql }: Migration): Command {
  const table = migrationTable(schema)
  const note = `create table if not exists ${table} (version int primary key, applied_at timestamptz not null default now());
    do $$ begin execute (select coalesce(string_agg(format('revoke insert, update, delete on ${table} from %s', grantee::regrole), '; '), 'select 1')
      from pg_class, aclexplode(relacl) where oid = '${table}'::regclass and privilege_type = 'INSERT' and grantee not in (0, relowner)); end $$;
    insert into ${table} (version) values (${version})`
  return {
    script: sh`
psql=$(ls -d /usr/lib/postgresql/*/bin/psql | tail -n 1)
export PGHOST=/run/postgresql PGPORT=5432 PGCONNECT_TIMEOUT=5 PGAPPNAME=${`migration ${name}`}
export PGOPTIONS=${`-c lock_timeout=${LOCKED}s -c client_min_messages=warning`}
sql=$(cat)
n=0
# A text that starts with a line break is never a command of psql.
until said=$("$psql" -XAtqw -v ON_ERROR_STOP=1 -1 -U ${owner} -d ${database} -c ${note} -c "
$sql" 2>&1); do
  n=$((n + 1))
  case $said in *'due to lock timeout'*) [ $n -lt ${TRIES} ] && sleep 1 && continue ;; esac
  printf '%s\n' ${`Migration ${name} failed and was rolled back:`} "$said" >&2
  exit 1
done`,
    input: Buffer.from(sql),
    as: 'postgres',
    timeout: '2h',
  }
}

function migrationTable(schema: string): string {
  return `${identifier(schema)}.migration`
}
