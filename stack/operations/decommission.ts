import {
  gate,
  group,
  type Host,
  type Play,
  Problem,
  play,
  playbook,
  service,
  text,
  withDescription,
} from 'provision-ts'
import { drainServer } from '../../roles/haproxy/index.ts'
import { appStopped } from '../lib/app-params.ts'
import { outageFlag, requireSpareHost } from '../lib/gates.ts'
import { findHost } from '../lib/hosts.ts'
import { skipMaintenance } from '../lib/maintenance.ts'
import { currentRelease } from '../lib/releases.ts'
import { type Site, siteSchema } from '../schema.ts'
import { appTier } from '../tiers/app.ts'
import { balancerTier } from '../tiers/balancer.ts'
import { databaseTier } from '../tiers/database-hosts.ts'
import { webTier } from '../tiers/web.ts'
import { type OperationOptions, type SiteOperation, withOwnPlays } from './operation.ts'

/**
 * Removes a web or app host: the hosts that use it get the configuration without it, then its service is stopped. Nothing is deleted. The
 * operator must remove it from the inventory afterwards, otherwise a run of the site starts it again.
 *
 * @example
 * import { decommission } from 'provision-ts/stack'
 *
 * export default decommission()
 */
export function decommission(own: OperationOptions = {}): SiteOperation {
  return withOwnPlays(
    own,
    playbook(
      siteSchema,
      (values, { host: name, outage }) => {
        const host = findHost(values, name)
        const { group: tier } = host
        if (tier !== 'web' && tier !== 'app')
          throw new Problem(`${name} is a host of ${tier}, and only web and app hosts can be decommissioned`, {
            next:
              tier === 'db'
                ? 'Remove a database host by hand: a replica has data, and a replication slot on the primary.'
                : tier === 'witness'
                  ? 'Replace it in the inventory and run provision: the new witness gets its vote.'
                  : `To work on it: provision maintenance --host ${name}.`,
          })
        if (values[tier].without(host).length === 0)
          throw new Problem(`${name} is the only host of ${tier}, so it cannot be removed`, {
            next: 'Nothing was changed. Add another host to the inventory and run provision first.',
          })
        return [
          skipMaintenance(values),
          gate(
            `decommission of ${name}: preconditions`,
            { hosts: neighbours(values, tier, host) },
            requireSpareHost(values, tier, { host, outage }),
          ),
          ...(tier === 'web' ? withoutWeb(values, host) : withoutApp(values, host)),
        ]
      },
      {
        description:
          'Removes a web or app host from the site: other hosts stop using it, then its service is stopped and disabled. Afterwards remove it from the inventory.',
        flags: { host: withDescription('the host to remove', text), outage: outageFlag },
      },
    ),
  )
}

function neighbours({ lb, web, app, db }: Site, tier: 'web' | 'app', host: Host): readonly Host[] {
  return tier === 'web' ? [...lb.hosts, ...app.hosts, host] : [...web.hosts, ...db.hosts, host]
}

function withoutWeb(values: Site, host: Host): readonly Play[] {
  const { lb, web } = values
  const rest = { ...values, web: group(web.name, web.without(host)) }
  return [
    play(`balancers: drain ${host.name}`, { hosts: lb, serial: 1 }, () =>
      drainServer({ backend: 'web', name: host.name }),
    ),
    gate(`no balancer sends requests to ${host.name}`, lb),
    ...balancerTier(rest),
    gate(`no balancer is configured with ${host.name}`, lb),
    play(`${host.name}: stop nginx`, { hosts: { hosts: [host] } }, () => service('nginx', { state: 'stopped' })),
    gate(`${host.name} is stopped`, { hosts: [...values.app.hosts, host] }),
    ...appTier(rest, { release: currentRelease(values) }),
  ]
}

/** It finishes open requests when it stops, so the database hosts close their firewall last. */
function withoutApp(values: Site, host: Host): readonly Play[] {
  const { app, web, db } = values
  const rest = { ...values, app: group(app.name, app.without(host)) }
  return [
    ...webTier(rest, { release: currentRelease(values) }),
    gate(`no web server sends requests to ${host.name}`, web),
    play(`${host.name}: stop ${values.application.name}`, { hosts: { hosts: [host] } }, () => appStopped(values)),
    gate(`${host.name} is stopped`, { hosts: [...db.hosts, host] }),
    ...databaseTier(rest),
  ]
}
