import { randomUUID } from 'node:crypto'
import { after, askHost, integer, optional, Problem, play, playbook, text, withDescription } from 'provision-ts'
import { moveDataAside, parsePointInTime, repositoryInfo, restoreDatabase } from '../../roles/backup/index.ts'
import { primaryOf } from '../../roles/postgres/index.ts'
import { clusterState } from '../../roles/postgres/lib/cluster-state.ts'
import { backupHost } from '../lib/backups.ts'
import { siteSchema } from '../schema.ts'
import { requireManualFailover } from '../tiers/automatic-operations.ts'
import { backupTier } from '../tiers/backup.ts'
import { databaseRoles } from '../tiers/database.ts'
import { databaseHosts } from '../tiers/database-hosts.ts'
import { type OperationOptions, type SiteOperation, withOwnPlays } from './operation.ts'

/**
 * Restores the database from its backups to a point in time. The present data are moved to another directory.
 *
 * @example
 * import { restore } from 'provision-ts/stack'
 *
 * export default restore()
 */
export function restore(own: OperationOptions = {}): SiteOperation {
  return withOwnPlays(
    own,
    playbook(
      siteSchema,
      (values, { to, timeline, confirm }) => {
        const { db, domain } = values
        const repository = backupHost(values)
        requireManualFailover(
          values,
          'restore',
          "Set db: { failover: 'manual' } in the inventory and run provision; then restore, and set 'automatic' again.",
        )
        if (confirm !== domain) {
          throw new Problem(`A restore replaces the data of ${domain} with older data`, {
            next: `Nothing was changed. To confirm, add --confirm ${domain}. The present data are moved to another directory, not deleted.`,
          })
        }
        const run = randomUUID()
        const moment = to === undefined ? undefined : parsePointInTime(to)
        return [
          ...databaseHosts(values),
          play('restore: primary', { hosts: db, anyErrorsFatal: true }, (host) =>
            after(primaryOf(db), (primary) =>
              after(
                askHost(repository, repositoryInfo),
                (held) =>
                  host === primary &&
                  restoreDatabase({ host: host.name, version: host.version, run, to: moment, timeline, held }),
              ),
            ),
          ),
          play('restore: replicas', { hosts: db, anyErrorsFatal: true }, (host) =>
            after(primaryOf(db), (primary) =>
              after(
                askHost(primary, clusterState),
                (found) => host !== primary && moveDataAside({ version: host.version, primary: primary.name, found }),
              ),
            ),
          ),
          ...databaseRoles(values),
          ...backupTier(values),
        ]
      },
      {
        description:
          'Restores the database from its backups to a point in time: the primary first, then new copies on the replicas. The present data are moved to another directory.',
        flags: {
          to: withDescription('the time to restore, with time zone; default: the latest', optional(text)),
          timeline: withDescription('the timeline to restore; default: the latest', optional(integer({ min: 1 }))),
          confirm: withDescription('the domain of the site, as a confirmation', optional(text)),
        },
      },
    ),
  )
}
