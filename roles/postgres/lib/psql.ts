import { batchRead, type Command, mapRead, type Read, type Shell, sh } from 'provision-ts'

/** The programs as they are: Debian's wrapper around psql costs a start of Perl. */
const PSQL = sh`
psql=; for one in /usr/lib/postgresql/*/bin/psql; do [ ! -e "$one" ] || psql=$one; done
export PGHOST=/run/postgresql PGPORT=5432 PGCONNECT_TIMEOUT=5`

interface Query {
  readonly database: string
  readonly sql: string
}

/** All questions of a host to one database go through one psql. What cannot be asked, as nothing runs, has no answer. */
const rows = batchRead<Query, unknown>({
  name: 'postgres',
  as: 'postgres',
  // A change of files alone does not change the answers of a server that runs.
  dependsOn: () => [],
  script: (queries) => {
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
  },
  parse: ({ stdout }, queries) => {
    const answers = new Map<number, unknown>()
    for (const line of stdout.split('\n').filter((one) => one !== '')) {
      const cut = line.indexOf(' ')
      answers.set(Number(line.slice(0, cut)), JSON.parse(line.slice(cut + 1)))
    }
    return queries.map((_query, i) => answers.get(i))
  },
})

/**
 * The first row of a query, its columns as JSON has them; undefined when there is none, or no server that answers.
 *
 * @typeParam T the columns that the query selects
 */
export function queryRow<T extends object>(sql: string, database = 'postgres'): Read<T | undefined> {
  // The types are those of the query that stands beside them.
  return mapRead(rows({ database, sql }), (answer) => answer as T | undefined)
}

/**
 * Statements, given on standard input, as the superuser on the local socket. What they hold is in no process list and in no log,
 * and they never wait for a replica: the one they would wait for may be the next to be set up.
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

/** A text as SQL writes it. */
export function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

/** A name as SQL writes it. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
