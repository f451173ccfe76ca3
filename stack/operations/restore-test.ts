import { randomUUID } from 'node:crypto'
import { after, askEach, askHost, mapAnswers, play, playbook } from 'provision-ts'
import { recordRowCounts, rowCounts, restoreTest as testRestore } from '../../roles/backup/index.ts'
import { postgresPackages } from '../../roles/postgres/index.ts'
import { clusterState } from '../../roles/postgres/lib/cluster-state.ts'
import { backupHost } from '../lib/backups.ts'
import { siteSchema } from '../schema.ts'
import { type OperationOptions, type SiteOperation, withOwnPlays } from './operation.ts'

/**
 * Restores the newest backup into a separate directory on the backup host, and compares it with a replica.
 *
 * @example
 * import { restoreTest } from 'provision-ts/stack'
 *
 * export default restoreTest()
 */
export function restoreTest(own: OperationOptions = {}): SiteOperation {
  return withOwnPlays(
    own,
    playbook(
      siteSchema,
      (values) => {
        const { db, backup } = values
        const run = randomUUID()
        const [{ version } = { version: undefined }] = db.hosts
        backupHost(values)
        const replica = mapAnswers(
          askEach(db, clusterState),
          (all) => all.find(({ answer }) => answer?.kind === 'cluster' && answer.running && answer.standby)?.host,
        )
        return [
          play('restore test: packages', { hosts: backup }, () => postgresPackages({ version })),
          play('restore test: row counts of a replica', { hosts: db }, (host) =>
            after(replica, (found) => host === found && recordRowCounts({ run, version })),
          ),
          play('restore test', { hosts: backup }, ({ name }) =>
            after(replica, (found) => [
              found
                ? after(askHost(found, rowCounts), (taken) => testRestore({ host: name, run, version, moment: taken }))
                : testRestore({ host: name, run, version, moment: undefined }),
            ]),
          ),
        ]
      },
      {
        description:
          'Restores the newest backup into a separate directory on the backup host, and compares it with a replica.',
      },
    ),
  )
}
