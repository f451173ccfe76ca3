import { firewall, type Play, play } from 'provision-ts'
import { base } from '../../roles/base/index.ts'
import { ADMIN_PORT, haproxy, haproxyLiveness } from '../../roles/haproxy/index.ts'
import { keepalived, releaseVip } from '../../roles/keepalived/index.ts'
import {
  type BalancerOptions,
  fromMonitoring,
  fromReaders,
  isStopped,
  readersOf,
  siteSteps,
  sshFor,
} from '../lib/tier.ts'
import type { Site } from '../schema.ts'

/**
 * Load balancers, one at a time. The one that holds the virtual IP address comes last.
 *
 * @example
 * import { balancerTier, siteSchema } from 'provision-ts/stack'
 *
 * export default playbook(siteSchema, (values) => balancerTier(values, { moveVip: true }))
 */
export function balancerTier(values: Site, options: BalancerOptions = {}): readonly Play[] {
  const { domain, certificate, vip, routerId, clientLimits, lb, web, admins, updates } = values
  const { answerWithin = 10, streams = [] } = values.application
  const { label = 'balancers', steps = siteSteps, moveVip } = options
  const readers = readersOf(values)
  const rollout = {
    hosts: { hosts: [...lb.hosts].sort((a, b) => a.priority - b.priority) },
    ...{ serial: 1, isIdle: isStopped('haproxy'), readiness: haproxyLiveness },
    ...(moveVip && { drain: releaseVip(vip) }),
  } as const
  return [
    play(label, rollout, (host) =>
      steps(host, [
        base({ updates }),
        firewall(
          [
            { port: [80, 443], from: 'anywhere' },
            { protocol: 'vrrp', from: lb.without(host) },
            ...fromReaders(ADMIN_PORT, values),
            ...fromMonitoring(values),
          ],
          sshFor(admins),
        ),
        haproxy({
          domain,
          certificate,
          servers: web.hosts,
          vip,
          everywhere: host.everywhere,
          maxConnections: host.maxConnections,
          clientLimits,
          // Longer than a web server waits, whose answer says more.
          answerWithin: Math.max(30, answerWithin + 5),
          streams,
          admin: readers && { address: host.address, from: readers },
        }),
        keepalived({ ...host, vip, routerId, peers: lb.without(host) }),
      ]),
    ),
  ]
}
