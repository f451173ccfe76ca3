import { readdirSync, readFileSync } from 'node:fs'
import { ask, type Command, Problem, type Question, type Read, resource, sh } from 'provision-ts'
import { identifier, queryRow } from '../lib/psql.ts'

export interface MigrationsParams {
  readonly database: string
  /** The schema, which has to be there with its owner. */
  readonly schema: string
  readonly owner: string
  /** In the order in which they are done. */
  readonly migrations: readonly Migration[]
}

/** A step from one version of a schema to the next: statements of one transaction. */
export interface Migration {
  readonly version: number
  /** Of its file. */
  readonly name: string
  readonly sql: string
}

/** Bytes: it is an argument of a program. */
const LARGEST = 100_000

/**
 * The migrations in a directory: files such as `0002-title.sql`, numbered from 1 without a gap.
 *
 * @throws Problem when they are not, or one is larger than 100 kB
 */
export function migrationsIn(directory: string): readonly Migration[] {
  const names = readdirSync(directory).sort()
  return names.map((name, i) => {
    const version = Number(/^(\d{4})-[a-z0-9-]+\.sql$/.exec(name)?.[1])
    if (version !== i + 1)
      throw new Problem(`${directory}/${name} is no migration, or not the next one`, {
        next: `Number them from 0001 on without a gap: ${String(i + 1).padStart(4, '0')}-what-it-does.sql.`,
      })
    const sql = readFileSync(`${directory}/${name}`, 'utf8')
    if (Buffer.byteLength(sql) > LARGEST)
      throw new Problem(`${directory}/${name} is larger than ${LARGEST / 1000} kB`, {
        next: 'A migration changes the schema. Fill large tables by the application, in small transactions.',
      })
    return { version, name, sql }
  })
}

/**
 * That a schema is at least at the last of these versions. Each migration is done once, as the owner of the schema, in one transaction
 * with the note that it was done: it happened as a whole, or not at all.
 */
export const postgresMigrations = resource<MigrationsParams, SchemaVersion | undefined>(
  'database migrations',
  {
    id: ({ database, schema }) => `${database}.${schema}`,
    affects: 'itself',
    read: ({ database, schema }) => versionOf(database, schema),
    diff: ({ migrations }, have) => {
      const due = dueOf(migrations, have)
      return due.length === 0
        ? undefined
        : { action: 'change', fields: due.map(({ name }) => ({ name: 'migration', to: name })) }
    },
    apply: (params, have) => dueOf(params.migrations, have).map((one) => done(params, one)),
  },
)

export interface SchemaVersion {
  readonly version: number
}

/** Which version a schema is at, for any host that may have it; no answer where there is no note of it, or no database. */
export function schemaVersion(database: string, schema: string): Question<SchemaVersion | undefined> {
  return ask(`the version of the schema ${schema}`, versionOf(database, schema))
}

function versionOf(database: string, schema: string): Read<SchemaVersion | undefined> {
  return queryRow(`select coalesce(max(version), 0) as version from ${noted(schema)}`, database)
}

/** Without an answer there is no note yet; what has been done nevertheless is refused by the note's key. */
function dueOf(migrations: readonly Migration[], have: SchemaVersion | undefined) {
  return migrations.filter(({ version }) => version > (have?.version ?? 0))
}

/** Seconds for which it waits for a lock. Who comes after it in the queue waits as long, so it steps back then and tries again. */
const LOCKED = 2
const TRIES = 15

/** The note comes first: of two runs at once, one waits for it and then does nothing. */
function done({ database, schema, owner }: MigrationsParams, { version, name, sql }: Migration): Command {
  const table = noted(schema)
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
# A text that begins with a line end is never taken for a command of psql itself.
until said=$("$psql" -XAtqw -v ON_ERROR_STOP=1 -1 -U ${owner} -d ${database} -c ${note} -c "
$sql" 2>&1); do
  n=$((n + 1))
  case $said in *'due to lock timeout'*) [ $n -lt ${TRIES} ] && sleep 1 && continue ;; esac
  printf '%s\n' ${`Migration ${name} failed, and none of it was done:`} "$said" >&2
  exit 1
done`,
    input: Buffer.from(sql),
    as: 'postgres',
    timeout: '2h',
  }
}

function noted(schema: string): string {
  return `${identifier(schema)}.migration`
}
