import { verification } from 'provision-ts'
import {
  appTierChecks,
  backupTierChecks,
  balancerTierChecks,
  databaseTierChecks,
  hostChecks,
  webTierChecks,
} from './lib/checks.ts'
import { site } from './schema.ts'

/** Checks the whole site, from the answers to clients to the disks. */
export default verification(
  site,
  (values) => [
    balancerTierChecks(values),
    webTierChecks(values),
    appTierChecks(values),
    databaseTierChecks(values),
    backupTierChecks(values),
    hostChecks(values),
  ],
  { description: 'Checks the whole system from outside. Changes nothing.' },
)
