import { read, readBoth, resource, sh } from 'provision-ts'
import { type RepositoryInfo, repositoryInfo } from '../lib/repository-info.ts'

const UNIT = 'pgbackrest-backup@full.service'

const isRunning = read(sh`systemctl is-active ${UNIT}`, ({ stdout }) => /^activ/.test(stdout))

/** Starts the first full backup, and does not wait for its end. WAL is useless without a backup. */
export const firstBackup = resource<Record<never, never>, readonly [RepositoryInfo, boolean]>('first backup', {
  id: () => 'begun',
  read: () => readBoth(repositoryInfo.read, isRunning),
  diff: (_params, [{ backups }, running]) =>
    backups.length > 0 || running ? undefined : { action: 'run', fields: [] },
  apply: () => [sh`systemctl start --no-block ${UNIT}`],
})
