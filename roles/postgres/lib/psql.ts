import { type Answer, batchRead, type Command, mapRead, type Read, type Shell, sh } from 'provision-ts'

/** psql without Debian's wrapper, which starts Perl. */
const PSQL = sh`
psql=; for one in /usr/lib/postgresql/*/bin/psql; do [ ! -e "$one" ] || psql=$one; done
export PGHOST=/run/postgresql PGPORT=5432 PGCONNECT_TIMEOUT=5`

interface Query {
  readonly database: string
  readonly sql: string
}

/** One psql process answers all queries of a host to a database. Without a running server there is no answer. */
const rows = batchRead<Query, unknown>({
  name: 'postgres',
  fakeValue: (host, query) => {
    const stored = host.values.get(keyOf(query))
    return stored === undefined
      ? rowsIn(host.answer(scriptOf([query]).text, 'postgres'), [query])[0]
      : JSON.parse(stored)
  },
  as: 'postgres',
  // A changed file alone does not change the answers of a running server.
  dependsOn: () => [],
  script: scriptOf,
  parse: rowsIn,
})

function scriptOf(queries: readonly Query[]): Shell {
  const databases = [...new Set(queries.map(({ database }) => database))]
  const asked = databases.map((name) => {
    const own = queries.flatMap(({ database, sql }, i) =>
      database === name ? ['-c', `select ${i} || ' ' || to_jsonb(row)::text from (${sql}) as row`] : [],
    )
    return sh`"$psql" -XAtqw -d ${name} ${own} 2>/dev/null`
  })
  return asked.reduce<Shell>(
    (all, one) => sh`${all}
${one}`,
    sh`${PSQL}; [ "$psql" ] || exit 0
export PGOPTIONS='-c statement_timeout=10s'`,
  )
}

function rowsIn({ stdout }: Answer, queries: readonly Query[]): readonly unknown[] {
  const answers = new Map<number, unknown>()
  for (const line of stdout.split('\n').filter((one) => one !== '')) {
    const cut = line.indexOf(' ')
    answers.set(Number(line.slice(0, cut)), JSON.parse(line.slice(cut + 1)))
  }
  return queries.map((_query, i) => answers.get(i))
}

function keyOf({ database, sql }: Query): string {
  return `row of ${database}: ${sql}`
}

/** Sets the answer of a fake host to a query. */
export function storeRow(host: FakeHostState, sql: string, row: object, database = 'postgres'): void {
  host.values.set(keyOf({ database, sql }), JSON.stringify(row))
}

/** The part of a fake host that stores values. */
interface FakeHostState {
  readonly values: Map<string, string>
}

/**
 * Returns the first row of a query, with JSON values; undefined without a row, or if no server answers.
 *
 * @typeParam T the columns that the query selects
 */
export function queryRow<T extends object>(sql: string, database = 'postgres'): Read<T | undefined> {
  // T describes the columns of the query.
  return mapRead(rows({ database, sql }), (answer) => answer as T | undefined)
}

/**
 * Executes statements as superuser on the local socket. They come from standard input, so they appear in no process list and no log. They
 * never wait for a replica, which may not be set up yet.
 */
export function sqlCommand(database: string, ...sql: readonly string[]): Command {
  const text = [...QUIET, ...sql].map((one) => `${one};\n`).join('')
  return {
    script: sh`${PSQL}
"$psql" -XAtqw -v ON_ERROR_STOP=1 -d ${database}`,
    input: Buffer.from(text),
    as: 'postgres',
  }
}

const QUIET = [
  `set log_statement = 'none'`,
  'set log_min_duration_statement = -1',
  `set log_min_error_statement = 'panic'`,
  `set synchronous_commit = 'local'`,
]

/** Quotes a text for SQL. */
export function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

/** Quotes a name for SQL. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
