import { flag, playbook, withDescription } from 'provision-ts'
import { renewCertificates as renew } from 'provision-ts/pki'
import { siteSchema } from '../schema.ts'
import { backupTier } from '../tiers/backup.ts'
import { balancerTier } from '../tiers/balancer.ts'
import { databaseRoles } from '../tiers/database.ts'
import { databaseHosts } from '../tiers/database-hosts.ts'
import { type OperationOptions, type SiteOperation, withOwnPlays } from './operation.ts'

/**
 * Renews certificates that expire soon, and installs them by reloads.
 *
 * @example
 * import { renewCertificates } from 'provision-ts/stack'
 *
 * export default renewCertificates()
 */
export function renewCertificates(own: OperationOptions = {}): SiteOperation {
  return withOwnPlays(
    own,
    playbook(
      siteSchema,
      (values) => [...databaseHosts(values), ...databaseRoles(values), ...backupTier(values), ...balancerTier(values)],
      {
        description:
          'Renews certificates that expire soon, from the own CA or the ACME server, and installs them by reloads, one balancer after the other. Certificates from other sources are installed as they are.',
        flags: { force: withDescription('renew all certificates, also those that do not expire soon', flag) },
        prepare: ({ force }, { check }) => {
          renew({ all: force, check })
        },
      },
    ),
  )
}
