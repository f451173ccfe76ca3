import { ask, Problem, read, readBoth, resource, type Shell, sh } from 'provision-ts'
import type { Paths } from '../../postgres/params.ts'
import { type RepositoryInfo, repositoryInfo } from '../lib/repository-info.ts'
import { scratchServer } from '../lib/scratch-server.ts'
import { STANZA } from '../params.ts'
import { COUNT_ROWS, type RowCounts } from './row-counts.ts'

export interface RestoreTestParams {
  readonly run: string
  readonly paths: Pick<Paths, 'bin'>
  /** The directory of the repository. */
  readonly repository: string
  /** The expected rows; undefined if no replica could count them, or has not yet. */
  readonly moment: RowCounts | undefined
  readonly host: string
}

const SCRATCH = '/var/lib/postgresql/restore-test'
const DONE = '/var/lib/provision/restore-test'

/** The run of the last test on this host. */
const outcome = ask(
  'its last restore test',
  read(sh`cat ${DONE} 2>/dev/null`, ({ stdout }) => stdout.split('\n')[0]),
)

/**
 * Restores the newest backup into its own directory and recovers it to the position at which a replica counted its rows. Then it checks
 * rows, tables, indexes and page checksums. It removes only its own files.
 */
export const restoreTest = resource<RestoreTestParams, readonly [string | undefined, RepositoryInfo]>('restore test', {
  id: () => 'of the newest backup',
  affects: 'itself',
  read: () => readBoth(outcome.read, repositoryInfo.read),
  diff: ({ run, host }, [last, { backups }]) => {
    if (last === run) return undefined
    const newest = backups.at(-1)
    if (!newest)
      throw new Problem(`${host} has no backup to restore`, {
        next: 'Take one first: provision backup.',
      })
    return { action: 'run', fields: [{ name: 'backup', to: newest.label }] }
  },
  apply: (params, [, { backups }]) => [
    { script: testScript(params, backups.at(-1)?.size ?? 0), reportsProgress: true, timeout: '24h' },
  ],
})

function testScript({ run, paths, repository, moment }: RestoreTestParams, size: number): Shell {
  const target = moment
    ? [
        '--type=lsn',
        `--target=${moment.lsn}`,
        '--target-action=promote',
        '--recovery-option=recovery_target_inclusive=off',
      ]
    : ['--type=default']
  return sh`
mkdir -p -m 0755 /var/lib/provision
install -d -o postgres -g postgres -m 0700 ${SCRATCH} || exit 1
${scratchServer(paths, SCRATCH)}
exec 8>"$scratch/lock"; flock -n 8 || { echo 'Another restore test is running.' >&2; exit 1; }
clean() { scratch_stop "$scratch/data" immediate 2>/dev/null; rm -rf "$scratch/data" "$scratch/tablespaces"; }
clean; trap clean EXIT
free=$(df --output=avail -B1 "$scratch" | tail -n 1); need=$((${size} + ${size} / 4 + 1073741824))
[ "$free" -ge $need ] || { echo "$scratch has $free bytes free, and the restored cluster needs $need." >&2; exit 1; }
scratch_conf && printf '%s\n' '[global]' ${`repo1-path=${repository}`} repo1-cipher-type=aes-256-cbc process-max=2 > "$scratch/pgbackrest.conf" || exit 1
chmod 0644 "$scratch/pgbackrest.conf"
as_postgres pgbackrest ${`--stanza=${STANZA}`} --log-level-console=warn check || exit 1
as_postgres pgbackrest --config="$scratch/pgbackrest.conf" --config-include-path=/etc/pgbackrest/conf.d ${`--stanza=${STANZA}`} --pg1-path="$scratch/data" --tablespace-map-all="$scratch/tablespaces" --log-level-console=warn ${target} restore || exit 1
scratch_start "$scratch/data" || { echo 'The restored cluster does not start:' >&2; scratch_log; exit 1; }
databases=$(scratch_ask -d postgres -c 'select datname from pg_database where datallowconn and not datistemplate order by 1') || exit 1
found=$(for database in $databases; do
  scratch_ask -F ' ' -d "$database" <<'END' || exit 1
${COUNT_ROWS}
END
done) || exit 1
${moment ? compareRows(moment) : sh`:`}
as_postgres "$bin/pg_amcheck" -h "$scratch" -p 5432 --all --heapallindexed --install-missing --no-strict-names 2>"$scratch/amcheck" >&2 || { echo 'The restored cluster is damaged:' >&2; tail -n 20 "$scratch/amcheck" >&2; exit 1; }
scratch_stop "$scratch/data" fast && as_postgres "$bin/pg_checksums" --check -D "$scratch/data" >/dev/null || exit 1
say "$(printf '%s\n' "$found" | grep -c .) tables, $(printf '%s\n' "$found" | awk '{ all += $NF } END { print all + 0 }') rows"${moment ? ', as on the replica' : ''}
printf '%s\n' ${run} "$found" > ${`${DONE}.new`} && mv -f ${`${DONE}.new`} ${DONE}`
}

function compareRows({ rows }: RowCounts): Shell {
  return sh`
wanted=$(printf '%s\n' ${rows})
[ "$found" = "$wanted" ] || {
  echo 'The restored rows differ from those of the replica:' >&2
  printf '%s\n' "$wanted" > "$scratch/wanted"; printf '%s\n' "$found" | diff "$scratch/wanted" - | head -n 20 >&2; exit 1
}`
}
