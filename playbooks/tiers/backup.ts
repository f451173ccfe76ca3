import { after, askHost, firewall, type Play, play } from 'provision-ts'
import { BACKUP_PORT, backupRepository, walArchiving } from '../../roles/backup/index.ts'
import { base } from '../../roles/base/index.ts'
import { primaryOf } from '../../roles/postgres/index.ts'
import { clusterState } from '../../roles/postgres/lib/cluster-state.ts'
import { sshFor } from '../lib/tier.ts'
import type { Site } from '../schema.ts'

/** The backups of the databases, where there is a host for them. */
export function backupTier({ backup, db, authority, admins, updates }: Site): readonly Play[] {
  if (backup.hosts.length === 0) return []
  return [
    play('backup: repository', { hosts: backup }, (host) => [
      base({ updates }),
      firewall([{ port: BACKUP_PORT, from: db.hosts }], sshFor(admins)),
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
