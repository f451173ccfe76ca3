import { resource, sh } from 'provision-ts'
import { ANNOTATION, type RepositoryInfo, repositoryInfo } from '../lib/repository-info.ts'
import { BACKUP_SCRIPT } from '../lib/timers.ts'
import { STANZA } from '../params.ts'

interface BackupParams {
  readonly type: 'full' | 'diff' | 'incr'
  /** The id of this run, which annotates the backup. */
  readonly run: string
}

/** Takes a backup in this run. The first backup is always a full one. */
export const takeBackup = resource<BackupParams, RepositoryInfo>('backup', {
  id: ({ type }) => type,
  affects: 'itself',
  read: () => repositoryInfo.read,
  diff: ({ run }, { backups }) => (backups.some((one) => one.run === run) ? undefined : { action: 'run', fields: [] }),
  apply: ({ type, run }) => [
    {
      script: sh`${BACKUP_SCRIPT} ${type} --log-level-console=warn ${`--annotation=${ANNOTATION}=${run}`} || exit 1
summary=$(pgbackrest ${`--stanza=${STANZA}`} info | awk '/ backup: / { label = $1 " " $NF } / database size: / { size = $0 } END { sub(/^ */, "", size); print label ", " size }'); say "$summary"`,
      as: 'postgres',
      reportsProgress: true,
      timeout: '24h',
    },
  ],
})
