import { type Answers, after, type Build, firewall, type Play, play } from 'provision-ts'
import { base } from '../../roles/base/index.ts'
import { drainFrom } from '../../roles/haproxy/index.ts'
import { MONITORING_PORTS, NGINX_STATUS_PORT } from '../../roles/monitoring/index.ts'
import { nginx, nginxReadiness } from '../../roles/nginx/index.ts'
import { UPSTREAM_PORT, upstream } from '../../roles/upstream/index.ts'
import { livePath, readyPath } from '../application.ts'
import { hasPages, releaseToDeploy } from '../lib/releases.ts'
import { CANARY, fromMonitoring, isStopped, siteSteps, sshFor, type TierOptions } from '../lib/tier.ts'
import type { Site } from '../schema.ts'

/**
 * Web servers. The balancers send no requests to one while it changes.
 *
 * @example
 * import { webTier, siteSchema } from 'provision-ts/stack'
 *
 * export default playbook(siteSchema, (values) => webTier(values, { serial: 1 }))
 */
export function webTier(values: Site, options: TierOptions = {}): readonly Play[] {
  const { domain, lb, web, app: apps, application, monitoring, admins, updates } = values
  const { paths, websockets = false, streams = [], bodyLimit, answerWithin, contentSecurityPolicy } = application
  const { label = 'web', serial = CANARY, release = releaseToDeploy(values), steps = siteSteps, outage } = options
  const rollout = {
    ...{ hosts: web, serial, isIdle: isStopped('nginx'), readiness: nginxReadiness },
    ...(!outage && { drain: drainFrom(lb, 'web') }),
  } as const
  return [
    play(label, rollout, (host) =>
      steps(host, [
        base({ updates }),
        firewall(
          [{ port: host.port, from: lb.hosts }, ...fromMonitoring(values, MONITORING_PORTS.nginx)],
          sshFor(admins),
        ),
        upstream({
          ...{ name: 'app', servers: apps.hosts, path: livePath(application), websockets, streams },
          ...(answerWithin !== undefined && { answerWithin }),
        }),
        after(hasPages(values) ? release(host, 'public') : NO_PAGES, (pages) =>
          nginx({
            domain,
            listen: host,
            workers: host.workers,
            rate: host.rate,
            upstreams: apps.hosts,
            through: UPSTREAM_PORT,
            balancers: lb.hosts,
            status: monitoring.hosts.length > 0 ? NGINX_STATUS_PORT : undefined,
            ...(pages && { site: pages }),
            ...{ ready: readyPath(application), websockets, streams },
            ...(paths && { paths }),
            ...(bodyLimit !== undefined && { bodyLimit }),
            ...(answerWithin !== undefined && { answerWithin }),
            ...(contentSecurityPolicy !== undefined && { contentSecurityPolicy }),
          }),
        ),
      ]),
    ),
  ]
}

const NO_PAGES: Answers<Build | undefined> = { asks: [], value: () => undefined }
