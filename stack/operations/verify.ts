import { type Checks, type Verification, verification } from 'provision-ts'
import {
  appTierChecks,
  backupTierChecks,
  balancerTierChecks,
  databaseTierChecks,
  hostChecks,
  monitoringTierChecks,
  webTierChecks,
} from '../lib/checks.ts'
import { type Site, siteSchema } from '../schema.ts'

/** The options of `verify`. */
export interface VerifyOptions {
  /** Checks of your own, after those of the site. @default none */
  readonly also?: (values: Site) => Checks
}

/**
 * Checks the whole site, from the answers to clients to the disks. It changes nothing.
 *
 * @example
 * import { verify } from 'provision-ts/stack'
 *
 * export default verify({
 *   also: ({ app }) => app.hosts.map((host) => check(host, 'has an uploads directory', sh`test -d /srv/uploads`)),
 * })
 */
export function verify({ also = () => [] }: VerifyOptions = {}): Verification<(typeof siteSchema)['entries']> {
  return verification(
    siteSchema,
    (values) => [
      balancerTierChecks(values),
      webTierChecks(values),
      appTierChecks(values),
      databaseTierChecks(values),
      backupTierChecks(values),
      monitoringTierChecks(values),
      hostChecks(values),
      also(values),
    ],
    { description: 'Checks the whole system from outside. Changes nothing.' },
  )
}
