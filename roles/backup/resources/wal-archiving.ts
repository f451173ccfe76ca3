import { type Problem, type Question, read, readBoth, resource, sh } from 'provision-ts'
import { healthQuery } from '../../postgres/lib/health.ts'
import { queryRow } from '../../postgres/lib/psql.ts'
import { CHECK_ARCHIVING } from '../lib/check-archiving.ts'
import { CONFIG } from './server.ts'

export interface ArchiverState {
  /** Whether the last WAL file that was tried could not be sent. */
  readonly failing: boolean
}

const FAILING = `select last_failed_time > coalesce(last_archived_time, '-infinity') is true as failing from pg_stat_archiver`

/** Undefined when nothing answers. */
const archiver = queryRow<ArchiverState>(FAILING)

/** To a database host, by checks: how the sending of its WAL goes. */
export const archiverState: Question<ArchiverState | Problem> = healthQuery<ArchiverState>(
  'how its WAL is archived',
  FAILING,
)

/** What was checked, noted where a new machine has nothing. */
const CHECKED = '/var/lib/provision/pgbackrest-checked'

const isChecked = read(
  sh`checked=${CHECKED} config=${CONFIG}; [ "$(cat "$checked" 2>/dev/null)" = "$(sha256sum < "$config" 2>/dev/null)" ]`,
  ({ code }) => code === 0,
)

/**
 * That what the primary writes arrives in the repository. It is tried for real, by a WAL file that has to be there within a
 * minute, after each change and each change of the primary; later PostgreSQL's own count of failures is enough.
 */
export const walArchiving = resource<
  { readonly host: string },
  readonly [boolean, ArchiverState | undefined]
>('backup archive', {
  id: ({ host }) => `of ${host}`,
  affects: 'itself',
  read: () => readBoth(isChecked, archiver),
  diff: (_params, [checked, archiver]) =>
    checked && archiver?.failing === false
      ? undefined
      : { action: 'run', fields: [{ name: 'check', to: 'passed' }] },
  apply: () => [
    {
      script: CHECK_ARCHIVING,
      as: 'postgres',
      timeout: '3m',
    },
    sh`mkdir -p /var/lib/provision && sha256sum < ${CONFIG} > ${CHECKED}`,
  ],
})
