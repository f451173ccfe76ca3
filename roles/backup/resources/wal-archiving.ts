import { type Problem, type Question, read, readBoth, resource, sh } from 'provision-ts'
import { healthQuery } from '../../postgres/lib/health.ts'
import { queryRow } from '../../postgres/lib/psql.ts'
import { CHECK_ARCHIVING } from '../lib/check-archiving.ts'
import { CONFIG } from './server.ts'

export interface ArchiverState {
  /** True if the last attempt to archive a WAL file failed. */
  readonly failing: boolean
}

const FAILING = `select last_failed_time > coalesce(last_archived_time, '-infinity') is true as failing from pg_stat_archiver`

/** Undefined if no server answers. */
const archiver = queryRow<ArchiverState>(FAILING)

/** The state of WAL archiving on a database host, for checks. */
export const archiverState: Question<ArchiverState | Problem> = healthQuery<ArchiverState>(
  'the state of WAL archiving',
  FAILING,
)

/** The hash of the configuration that was checked. A new machine does not have it. */
const CHECKED = '/var/lib/provision/pgbackrest-checked'

const isChecked = read(
  sh`checked=${CHECKED} config=${CONFIG}; [ "$(cat "$checked" 2>/dev/null)" = "$(sha256sum < "$config" 2>/dev/null)" ]`,
  ({ code }) => code === 0,
)

/**
 * WAL of the primary reaches the repository. After a change of the configuration or of the primary, a test file must arrive within a
 * minute. Otherwise the failure counter of PostgreSQL is used.
 */
export const walArchiving = resource<{ readonly host: string }, readonly [boolean, ArchiverState | undefined]>(
  'backup archive',
  {
    id: ({ host }) => `of ${host}`,
    affects: 'itself',
    read: () => readBoth(isChecked, archiver),
    diff: (_params, [checked, archiver]) =>
      checked && archiver?.failing === false ? undefined : { action: 'run', fields: [{ name: 'check', to: 'passed' }] },
    apply: () => [
      {
        script: CHECK_ARCHIVING,
        as: 'postgres',
        timeout: '3m',
      },
      sh`mkdir -p /var/lib/provision && sha256sum < ${CONFIG} > ${CHECKED}`,
    ],
  },
)
