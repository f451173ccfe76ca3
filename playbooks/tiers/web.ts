import { after, firewall, type Play, play } from 'provision-ts'
import { base } from '../../roles/base/index.ts'
import { drainFrom } from '../../roles/haproxy/index.ts'
import { nginx, nginxReadiness } from '../../roles/nginx/index.ts'
import { UPSTREAM_PORT, upstream } from '../../roles/upstream/index.ts'
import { releaseToDeploy } from '../lib/releases.ts'
import { isStopped, siteSteps, sshFor, type TierOptions } from '../lib/tier.ts'
import type { Site } from '../schema.ts'

/** The web servers, each out of the balancers' service while it is changed. */
export function webTier(
  { domain, lb, web, app: apps, admins, updates }: Site,
  { label = 'web', serial, release = releaseToDeploy, steps = siteSteps, outage = false }: TierOptions = {},
): readonly Play[] {
  const drain = outage ? {} : { drain: drainFrom(lb, 'web') }
  return [
    play(
      label,
      {
        hosts: web,
        serial: serial ?? [1, '50%'],
        isIdle: isStopped('nginx'),
        readiness: nginxReadiness,
        ...drain,
      },
      (host) =>
        steps(host, [
          base({ updates }),
          firewall([{ port: host.port, from: lb.hosts }], sshFor(admins)),
          upstream({ name: 'app', servers: apps.hosts, path: '/livez' }),
          after(release(host, 'public'), (chosen) =>
            nginx({
              domain,
              listen: host,
              workers: host.workers,
              rate: host.rate,
              upstreams: apps.hosts,
              through: UPSTREAM_PORT,
              balancers: lb.hosts,
              site: chosen,
            }),
          ),
        ]),
    ),
  ]
}
