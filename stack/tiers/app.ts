import { after, allAnswers, firewall, type Play, play } from 'provision-ts'
import { app, appReadiness } from '../../roles/app/index.ts'
import { base } from '../../roles/base/index.ts'
import { drainFrom } from '../../roles/haproxy/index.ts'
import { RECORD } from '../../roles/postgres/lib/record.ts'
import { NOTES } from '../lib/database-params.ts'
import { releaseToDeploy } from '../lib/releases.ts'
import {
  CANARY,
  fromMonitoring,
  fromReaders,
  isStopped,
  readersOf,
  siteSteps,
  sshFor,
  type TierOptions,
} from '../lib/tier.ts'
import { METRICS_PORT, type Site } from '../schema.ts'
import { migrateSchema, schemaVersions } from './app-schema.ts'

/**
 * Application servers. The web servers send no requests to one while it changes.
 *
 * @example
 * import { appTier, siteSchema } from 'provision-ts/stack'
 *
 * export default playbook(siteSchema, (values) => appTier(values, { label: 'app: restarts', serial: 1 }))
 */
export function appTier(values: Site, options: TierOptions = {}): readonly Play[] {
  const { app: apps, web, db, passwords, authority, admins, updates } = values
  const { label = 'app', serial = CANARY, release = releaseToDeploy, steps = siteSteps, outage } = options
  const rollout = {
    ...{ hosts: apps, serial, isIdle: isStopped('notes'), readiness: appReadiness },
    ...(!outage && { drain: drainFrom(web, 'app', { onUnreachable: 'ignore' }) }),
  } as const
  return [
    play(label, rollout, (host) =>
      steps(host, [
        base({ updates }),
        firewall(
          [{ port: host.port, from: web.hosts }, ...fromReaders(METRICS_PORT, values), ...fromMonitoring(values)],
          sshFor(admins),
        ),
        after(allAnswers(release(host, 'app'), schemaVersions(values)), ([build, versions]) => [
          migrateSchema(values, build, versions),
          app({
            release: build,
            listen: host,
            metrics: readersOf(values) && { address: host.address, port: METRICS_PORT },
            databases: db.hosts,
            database: {
              name: NOTES.name,
              user: NOTES.user,
              password: passwords.app,
              authority,
              record: RECORD,
            },
          }),
        ]),
      ]),
    ),
  ]
}
