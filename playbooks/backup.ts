import { randomUUID } from 'node:crypto'
import { choice, optional, play, playbook } from 'provision-ts'
import { backupTaken } from '../roles/backup/index.ts'
import { repositoryOf } from './backups.ts'
import { site } from './stack.ts'

export default playbook(
  site,
  (values, { type = 'incr' }) => {
    repositoryOf(values)
    return [play(`backup: ${type}`, { hosts: values.backup }, () => backupTaken({ type, run: randomUUID() }))]
  },
  {
    description: 'Takes a backup of the database now, from a replica where there is one.',
    flags: { type: optional(choice('full', 'diff', 'incr')) },
  },
)
