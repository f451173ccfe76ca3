import { randomUUID } from 'node:crypto'
import { choice, optional, play, playbook, withDescription } from 'provision-ts'
import { takeBackup } from '../../roles/backup/index.ts'
import { backupHost } from '../lib/backups.ts'
import { siteSchema } from '../schema.ts'
import { type OperationOptions, type SiteOperation, withOwnPlays } from './operation.ts'

/**
 * Takes a backup of the database now, from a replica if there is one.
 *
 * @example
 * import { backup } from 'provision-ts/stack'
 *
 * export default backup()
 */
export function backup(own: OperationOptions = {}): SiteOperation {
  return withOwnPlays(
    own,
    playbook(
      siteSchema,
      (values, { type = 'incr' }) => {
        backupHost(values)
        return [
          play(`backup: take one (${type})`, { hosts: values.backup }, () => takeBackup({ type, run: randomUUID() })),
        ]
      },
      {
        description: 'Takes a backup of the database now, from a replica if there is one.',
        flags: { type: withDescription('the kind of backup', optional(choice('full', 'diff', 'incr'))) },
      },
    ),
  )
}
