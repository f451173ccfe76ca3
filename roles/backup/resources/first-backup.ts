import { read, readBoth, resource, sh } from 'provision-ts'
import { type RepositoryInfo, repositoryInfo } from '../lib/repository-info.ts'

const UNIT = 'pgbackrest-backup@full.service'

const begun = read(sh`systemctl is-active ${UNIT}`, ({ stdout }) => /^activ/.test(stdout))

/** The first backup: WAL without one to begin with is of no use. It is begun, and goes on by itself. */
export const firstBackup = resource<Record<never, never>, readonly [RepositoryInfo, boolean]>(
  'first backup',
  {
    id: () => 'begun',
    read: () => readBoth(repositoryInfo.read, begun),
    diff: (_params, [{ backups }, running]) =>
      backups.length > 0 || running ? undefined : { action: 'run', fields: [] },
    apply: () => [sh`systemctl start --no-block ${UNIT}`],
  },
)
