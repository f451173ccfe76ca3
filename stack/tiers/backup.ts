import { after, askHost, firewall, type Play, play } from 'provision-ts'
import { BACKUP_PORT, backupRepository, walArchiving } from '../../roles/backup/index.ts'
import { base } from '../../roles/base/index.ts'
import { clusterState, primaryOf } from '../../roles/postgres/index.ts'
import { fromMonitoring, sshFor } from '../lib/tier.ts'
import type { Site } from '../schema.ts'

/**
 * Backups of the database, if the inventory has a host for them.
 *
 * @example
 * import { backupTier, siteSchema } from 'provision-ts/stack'
 *
 * export default playbook(siteSchema, (values) => backupTier(values))
 */
export function backupTier(values: Site): readonly Play[] {
  const { backup, db, authority, admins, updates } = values
  if (backup.hosts.length === 0) return []
  return [
    play('backup: repository', { hosts: backup }, (host) => [
      base({ updates }),
      firewall([{ port: BACKUP_PORT, from: db.hosts }, ...fromMonitoring(values)], sshFor(admins)),
      after(primaryOf(db), (primary) =>
        after(askHost(primary, clusterState), (found) =>
          backupRepository({ ...host, authority, found, version: primary.version, sources: db.hosts }),
        ),
      ),
    ]),
    play('backup: archive', { hosts: db }, (host) =>
      after(primaryOf(db), (primary) => host === primary && walArchiving({ host: host.name })),
    ),
  ]
}
