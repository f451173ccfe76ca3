import { after, allAnswers, firewall, type HostOf, type Play, play } from 'provision-ts'
import { app, appReadiness } from '../../roles/app/index.ts'
import { base } from '../../roles/base/index.ts'
import { drainFrom } from '../../roles/haproxy/index.ts'
import { readyPath } from '../application.ts'
import { appParams } from '../lib/app-params.ts'
import { releaseToDeploy } from '../lib/releases.ts'
import { CANARY, fromMonitoring, fromReaders, isStopped, siteSteps, sshFor, type TierOptions } from '../lib/tier.ts'
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
  const { app: apps, web, application, admins, updates } = values
  const { label = 'app', serial = CANARY, release = releaseToDeploy(values), steps = siteSteps, outage } = options
  const rollout = {
    ...{ hosts: apps, serial, isIdle: isStopped(application.name) },
    readiness: (host: HostOf<Site, 'app'>) => appReadiness(host, readyPath(application)),
    ...(!outage && { drain: drainFrom(web, 'app', { onUnreachable: 'ignore' }) }),
  } as const
  const metrics = application.metrics ? fromReaders(METRICS_PORT, values) : []
  return [
    play(label, rollout, (host) =>
      steps(host, [
        base({ updates }),
        firewall([{ port: host.port, from: web.hosts }, ...metrics, ...fromMonitoring(values)], sshFor(admins)),
        after(allAnswers(release(host, 'app'), schemaVersions(values)), ([build, versions]) => [
          migrateSchema(values, build, versions),
          app(appParams(host, build, values)),
        ]),
      ]),
    ),
  ]
}
