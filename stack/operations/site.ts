import { playbook } from 'provision-ts'
import { skipMaintenance } from '../lib/maintenance.ts'
import { siteSchema } from '../schema.ts'
import { appTier } from '../tiers/app.ts'
import { backupTier } from '../tiers/backup.ts'
import { balancerTier } from '../tiers/balancer.ts'
import { databaseTier } from '../tiers/database-hosts.ts'
import { monitoringTier } from '../tiers/monitoring.ts'
import { webTier } from '../tiers/web.ts'
import { type OperationOptions, type SiteOperation, withOwnPlays } from './operation.ts'

/**
 * The whole site. Each tier uses only the tiers above it on this page.
 *
 * @example
 * import { site } from 'provision-ts/stack'
 *
 * export default site({ after: ({ app }) => [play('own roles', { hosts: app }, () => [motd({ text: 'app' })])] })
 */
export function site(own: OperationOptions = {}): SiteOperation {
  return withOwnPlays(
    own,
    playbook(
      siteSchema,
      (values) => [
        skipMaintenance(values),
        ...databaseTier(values),
        ...backupTier(values),
        ...appTier(values),
        ...webTier(values),
        ...balancerTier(values),
        ...monitoringTier(values),
      ],
      { description: 'Brings the whole system to the state that the inventory describes.' },
    ),
  )
}
