import { optional, play, playbook, runOnce, text, withDescription } from 'provision-ts'
import { skipHosts } from '../lib/maintenance.ts'
import { siteSchema } from '../schema.ts'
import { failoverModePlays } from '../tiers/automatic-failover.ts'
import { movePrimary } from '../tiers/automatic-operations.ts'
import { databaseRoles } from '../tiers/database.ts'
import { type OperationOptions, type SiteOperation, withOwnPlays } from './operation.ts'

/**
 * Another database host becomes the primary while both are healthy; the old primary follows it at once.
 *
 * @example
 * import { switchover } from 'provision-ts/stack'
 *
 * export default switchover()
 */
export function switchover(own: OperationOptions = {}): SiteOperation {
  return withOwnPlays(
    own,
    playbook(
      siteSchema,
      (values, { to }) => [
        skipHosts(values.db.hosts),
        ...failoverModePlays(values),
        play('database: switchover', { anyErrorsFatal: true, hosts: values.db }, () =>
          runOnce(movePrimary(values, { to })),
        ),
        ...databaseRoles(values),
      ],
      {
        description:
          'Moves the primary of the database to another host without loss of writes. Refused if that host does not follow closely.',
        flags: {
          to: withDescription(
            'the new primary; default: the replica that follows the primary',
            optional({ ...text, expects: 'the name of a database host' }),
          ),
        },
      },
    ),
  )
}
