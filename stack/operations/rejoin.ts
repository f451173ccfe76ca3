import { flag, Problem, playbook, text, withDescription } from 'provision-ts'
import { isAutomatic } from '../lib/database-params.ts'
import { siteSchema } from '../schema.ts'
import { failoverModePlays } from '../tiers/automatic-failover.ts'
import { rejoinPlays } from '../tiers/automatic-operations.ts'
import { databaseRoles } from '../tiers/database.ts'
import { type OperationOptions, type SiteOperation, withOwnPlays } from './operation.ts'

/**
 * An old primary becomes a replica again: rewound to the new one, or by a new copy. Its data are never deleted.
 *
 * @example
 * import { rejoin } from 'provision-ts/stack'
 *
 * export default rejoin()
 */
export function rejoin(own: OperationOptions = {}): SiteOperation {
  return withOwnPlays(
    own,
    playbook(
      siteSchema,
      (values, { host: name, copy }) => {
        const host = values.db.hosts.find((one) => one.name === name)
        if (!host)
          throw new Problem(`--host: there is no database host ${name}`, {
            next: `There are ${values.db.hosts.map((one) => one.name).join(', ')}.`,
          })
        if (values.db.hosts.length < 2)
          throw new Problem(`${name} is the only database host, so there is no primary to follow`, {
            next: 'Nothing was changed. Add another host to the inventory and run provision first.',
          })
        if (isAutomatic(values)) return rejoinPlays(values, host, copy)
        const oldPrimary = copy ? 'copy' : 'rewind'
        return [...failoverModePlays(values), ...databaseRoles(values, { rejoin: { host, oldPrimary } })]
      },
      {
        description:
          'Makes an old primary of the database a replica again. Writes that only it has are discarded, or kept in a directory with --copy.',
        flags: {
          host: withDescription('the old primary', text),
          copy: withDescription(
            'copy the data from the primary instead of rewinding them; the old data are kept',
            flag,
          ),
        },
      },
    ),
  )
}
