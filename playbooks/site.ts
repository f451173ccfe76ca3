import { playbook } from 'provision-ts'
import { leavingOut } from './maintenance-mark.ts'
import { site } from './stack.ts'
import { appTier, backupTier, balancerTier, databaseTier, webTier } from './tiers.ts'

/** The whole system, from the inside out: a tier is there before the one that asks it. */
export default playbook(
  site,
  (values) => [
    leavingOut(values),
    ...databaseTier(values),
    ...backupTier(values),
    ...appTier(values),
    ...webTier(values),
    ...balancerTier(values),
  ],
  { description: 'Brings the whole system to the state that the inventory asks for.' },
)
