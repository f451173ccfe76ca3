import { playbook } from 'provision-ts'
import { skipMaintenance } from './lib/maintenance.ts'
import { site } from './schema.ts'
import { appTier } from './tiers/app.ts'
import { backupTier } from './tiers/backup.ts'
import { balancerTier } from './tiers/balancer.ts'
import { databaseTier } from './tiers/database.ts'
import { webTier } from './tiers/web.ts'

/** The whole system, from the inside out: a tier is there before the one that asks it. */
export default playbook(
  site,
  (values) => [
    skipMaintenance(values),
    ...databaseTier(values),
    ...backupTier(values),
    ...appTier(values),
    ...webTier(values),
    ...balancerTier(values),
  ],
  { description: 'Brings the whole system to the state that the inventory asks for.' },
)
