import { playbook } from 'provision-ts'
import { site } from './stack.ts'
import { appTier, balancerTier, databaseTier, webTier } from './tiers.ts'

/** The whole system, from the inside out: a tier is there before the one that asks it. */
export default playbook(
  site,
  (values) => [...databaseTier(values), ...appTier(values), ...webTier(values), ...balancerTier(values)],
  { about: 'Brings the whole system to the state that the inventory asks for.' },
)
