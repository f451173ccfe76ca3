import { directory, file, Problem, type RoleContext, role, type Steps, service, unit } from 'provision-ts'
import { PORT as POSTGRES, type PostgresParams, pathsOf } from '../postgres/params.ts'
import { ARCHIVE_SCRIPT, archiveScript } from './lib/archiving.ts'
import { BACKUP_SCRIPT, backupScript, timer, UNIT } from './lib/timers.ts'
import { type BackupRepositoryParams, type BackupSourceParams, REPOSITORY, STANZA } from './params.ts'
import { firstBackup } from './resources/first-backup.ts'
import { moveDataAside as moveAsideStep, type OldDataParams } from './resources/old-data.ts'
import { type RestoreParams, restoreDatabase as restoreStep } from './resources/restore.ts'
import { type RestoreTestParams, restoreTest as restoreTestStep } from './resources/restore-test.ts'
import { recordRowCounts as recordStep } from './resources/row-counts.ts'
import { CERTIFICATE, KEY, server, TRUSTED } from './resources/server.ts'
import { stanza } from './resources/stanza.ts'
import { repositoryConf, sourceConf, type Tls } from './templates.ts'

export { backupChecks } from './checks.ts'
export { ARCHIVING } from './lib/archiving.ts'
export { parsePointInTime } from './lib/point-in-time.ts'
export { type RepositoryInfo, repositoryInfo } from './lib/repository-info.ts'
export { type BackupRepositoryParams, type BackupSourceParams, PORT as BACKUP_PORT } from './params.ts'
export { takeBackup } from './resources/backup.ts'
export { noExistingBackups } from './resources/existing-backups.ts'
export { rowCounts } from './resources/row-counts.ts'
export { walArchiving } from './resources/wal-archiving.ts'

/** A database host with backups: sends its WAL, and lets the repository's host read its data. */
export const backupSource = role('backup-source', (params: BackupSourceParams, { facts }: RoleContext): Steps => {
  const { address, repository, queueMax = 8 } = params
  const { data } = pathsOf(params, facts)
  return [
    server({
      ...params,
      others: [repository],
      config: sourceConf({ address, repository, data, port: POSTGRES, tls: TLS, queueMax }),
    }),
    file(ARCHIVE_SCRIPT, archiveScript(repository, queueMax), { mode: '0755' }),
  ]
})

/** The host that takes and keeps the backups, from a replica if there is one. */
export const backupRepository = role(
  'backup-repository',
  (params: BackupRepositoryParams, { facts }: RoleContext): Steps => {
    const { address, sources, found, passphrase, keepFull = 2, path = REPOSITORY, schedule = SCHEDULE } = params
    const { data } = pathsOf(params, facts)
    const config = repositoryConf({
      ...{ address, keepFull, path, tls: TLS },
      sources: sources.map(({ name, address: at }, i) => ({
        name,
        address: at,
        number: i + 1,
        data,
        port: POSTGRES,
      })),
    })
    return [
      server({ ...params, others: sources, config, secret: passphrase.map(passphraseConf) }),
      directory(path, { owner: 'postgres', mode: '0750' }),
      file(BACKUP_SCRIPT, backupScript(sources.length > 1), { mode: '0755' }),
      unit('pgbackrest-backup@.service', UNIT),
      unit('pgbackrest-backup@full.timer', timer('full', schedule.full)),
      unit('pgbackrest-backup@diff.timer', timer('diff', schedule.diff)),
      stanza({ host: params.name, path, system: found?.kind === 'cluster' ? found.system : undefined }),
      firstBackup({}),
      service('pgbackrest-backup@full.timer'),
      service('pgbackrest-backup@diff.timer'),
    ]
  },
)

const SCHEDULE = { full: 'Sun 01:00', diff: 'Mon..Sat 01:00' } as const

function passphraseConf(passphrase: string): string {
  if (passphrase.length < 16 || /\s/.test(passphrase))
    throw new Problem('The passphrase of the backups is too short, or contains a space', {
      where: 'backup.passphrase',
      next: 'Use at least 16 characters, for example from openssl rand -base64 36. It cannot be changed later.',
    })
  return `[global]\nrepo1-cipher-pass=${passphrase}\n`
}

const TLS: Tls = { stanza: STANZA, trusted: TRUSTED, certificate: CERTIFICATE, key: KEY }

type Version = Pick<PostgresParams, 'version'>

/** Counts the rows of all tables on a replica, at one place in the WAL. */
export const recordRowCounts = role('backup-row-counts', (params: Version & { readonly run: string }, { facts }) =>
  recordStep({ run: params.run, paths: pathsOf(params, facts) }),
)

/** Restores the newest backup into a directory of its own and compares it with the rows of a replica. */
export const restoreTest = role(
  'restore-test',
  (params: Version & Omit<RestoreTestParams, 'paths' | 'repository'>, { facts }) =>
    restoreTestStep({ ...params, paths: pathsOf(params, facts), repository: REPOSITORY }),
)

/** Restores the data of the primary to a point in time. */
export const restoreDatabase = role('restore', (params: Version & Omit<RestoreParams, 'paths'>, { facts }) =>
  restoreStep({ ...params, paths: pathsOf(params, facts) }),
)

/** Moves the data of a replica aside after a restore of its primary, so that it gets a new copy. */
export const moveDataAside = role('restore', (params: Version & Omit<OldDataParams, 'paths'>, { facts }) =>
  moveAsideStep({ ...params, paths: pathsOf(params, facts) }),
)
