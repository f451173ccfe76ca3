import { firewall, type Play, play } from 'provision-ts'
import { base } from '../../roles/base/index.ts'
import { ADMIN_PORT, haproxy, haproxyLiveness } from '../../roles/haproxy/index.ts'
import { keepalived } from '../../roles/keepalived/index.ts'
import { releaseVip } from '../../roles/keepalived/resources/vip.ts'
import { isStopped, siteSteps, sshFor, type TierOptions, watchedAt } from '../lib/tier.ts'
import type { Site } from '../schema.ts'

/** What an operation does otherwise with the balancers. */
export interface BalancerOptions extends Pick<TierOptions, 'label' | 'steps'> {
  /** Whether a peer has the address while a host is changed: for what is more than a reload. @default false */
  readonly releaseAddress?: boolean
}

/** The balancers, one after another; the one that has the address as a rule comes last. */
export function balancerTier(
  { domain, certificate, vip, lb, web, admins, updates }: Site,
  { label = 'balancers', steps = siteSteps, releaseAddress = false }: BalancerOptions = {},
): readonly Play[] {
  const hosts = [...lb.hosts].sort((a, b) => a.priority - b.priority)
  const drain = releaseAddress ? { drain: releaseVip(vip) } : {}
  return [
    play(
      label,
      { hosts: { hosts }, serial: 1, isIdle: isStopped('haproxy'), readiness: haproxyLiveness, ...drain },
      (host) =>
        steps(host, [
          base({ updates }),
          firewall(
            [
              { port: [80, 443], from: 'anywhere' },
              { protocol: 'vrrp', from: lb.without(host) },
              ...watchedAt(ADMIN_PORT, admins),
            ],
            sshFor(admins),
          ),
          haproxy({
            domain,
            certificate,
            servers: web.hosts,
            vip,
            everywhere: host.everywhere,
            admin: admins === undefined ? undefined : { address: host.address, from: admins },
          }),
          keepalived({ ...host, vip, peers: lb.without(host) }),
        ]),
    ),
  ]
}
