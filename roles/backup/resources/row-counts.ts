import { ask, type Question, read, resource, sh } from 'provision-ts'
import { localFunctions } from '../../postgres/lib/shell.ts'
import type { Paths } from '../../postgres/params.ts'

/** The number of rows of each table at one position in the WAL. */
export interface RowCounts {
  readonly run: string
  readonly lsn: string
  /** `database schema.table count`. */
  readonly rows: readonly string[]
}

const FILE = '/run/provision-backup-moment'

export const rowCounts: Question<RowCounts | undefined> = ask(
  'the row counts of a replica',
  read(sh`cat ${FILE} 2>/dev/null`, ({ stdout }) => {
    const [run, lsn, ...rows] = stdout.split('\n').filter((line) => line !== '')
    return run && lsn ? { run, lsn, rows } : undefined
  }),
)

/**
 * Counts the rows of all tables on a replica at one position in the WAL: replay pauses meanwhile. Commits on the primary do not wait,
 * because they need WAL on the replica's disk, not in its tables.
 */
export const recordRowCounts = resource<
  { readonly run: string; readonly paths: Pick<Paths, 'bin'> },
  RowCounts | undefined
>('row counts', {
  id: () => 'on a replica',
  affects: 'itself',
  read: () => rowCounts.read,
  diff: ({ run }, have) => (have?.run === run ? undefined : { action: 'run', fields: [] }),
  apply: ({ run, paths }) => [{ script: countScript(run, paths), timeout: '15m' }],
})

function countScript(run: string, paths: Pick<Paths, 'bin'>) {
  return sh`
${localFunctions(paths)}
file=${FILE}
umask 077
ask 'select pg_wal_replay_pause()' >/dev/null || exit 1
trap "ask 'select pg_wal_replay_resume()' >/dev/null; rm -f $file.new" EXIT
n=0; until [ "$(ask 'select pg_get_wal_replay_pause_state()')" = paused ]; do n=$((n+1)); [ $n -lt 300 ] || { echo 'The replica does not pause.' >&2; exit 1; }; sleep 0.1; done
{ echo ${run}; ask 'select pg_last_wal_replay_lsn()' || exit 1; } > $file.new
databases=$(ask 'select datname from pg_database where datallowconn and not datistemplate order by 1') || exit 1
for database in $databases; do
  PGHOST=/run/postgresql as_postgres timeout 600 ${`${paths.bin}/psql`} -XAtqw -v ON_ERROR_STOP=1 -F ' ' -d "$database" >> $file.new <<'END' || exit 1
${COUNT_ROWS}
END
done
mv -f $file.new $file`
}

/** Prints one line per table. psql executes the queries that this query returns. */
export const COUNT_ROWS = sh`select format('select %L, count(*) from %I.%I', replace(format('%s %I.%I', current_database(), n.nspname, c.relname), ' pg_catalog.', ' '), n.nspname, c.relname)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and c.relpersistence = 'p' and n.nspname !~ '^(pg_|information_schema)' order by n.nspname, c.relname \gexec`
