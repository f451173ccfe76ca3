import { after, firewall, type Play, play } from 'provision-ts'
import { base } from '../../roles/base/index.ts'
import { drainFrom } from '../../roles/haproxy/index.ts'
import { MONITORING_PORTS, NGINX_STATUS_PORT } from '../../roles/monitoring/index.ts'
import { nginx, nginxReadiness } from '../../roles/nginx/index.ts'
import { UPSTREAM_PORT, upstream } from '../../roles/upstream/index.ts'
import { releaseToDeploy } from '../lib/releases.ts'
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
  const { domain, lb, web, app: apps, monitoring, admins, updates } = values
  const { label = 'web', serial = CANARY, release = releaseToDeploy, steps = siteSteps, outage } = options
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
        upstream({ name: 'app', servers: apps.hosts, path: '/livez' }),
        after(release(host, 'public'), (pages) =>
          nginx({
            domain,
            listen: host,
            workers: host.workers,
            rate: host.rate,
            upstreams: apps.hosts,
            through: UPSTREAM_PORT,
            balancers: lb.hosts,
            status: monitoring.hosts.length > 0 ? NGINX_STATUS_PORT : undefined,
            site: pages,
          }),
        ),
      ]),
    ),
  ]
}
