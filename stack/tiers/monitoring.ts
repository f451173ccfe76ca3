import { firewall, type Host, type Play, play } from 'provision-ts'
import { base } from '../../roles/base/index.ts'
import {
  MONITORING_PORTS,
  monitoring as monitoringRole,
  nginxExporter,
  nodeExporter,
  postgresExporter,
} from '../../roles/monitoring/index.ts'
import { monitoringTargets } from '../lib/monitoring-targets.ts'
import { sshFor } from '../lib/tier.ts'
import type { Site } from '../schema.ts'

/** Prometheus and Alertmanager have pages for administrators. */
const PAGES = [MONITORING_PORTS.prometheus, MONITORING_PORTS.alertmanager]

/**
 * Exporters on all hosts, and the host that reads them and sends alerts, if the inventory has one. The ports of the exporters are opened
 * by the firewalls of the other tiers.
 *
 * @example
 * import { monitoringTier, siteSchema } from 'provision-ts/stack'
 *
 * export default playbook(siteSchema, (values) => monitoringTier(values))
 */
export function monitoringTier(values: Site): readonly Play[] {
  const { lb, web, app, db, witness, backup, monitoring, vip, admins, updates } = values
  if (monitoring.hosts.length === 0) return []
  const all = [lb, web, app, db, witness, backup, monitoring].flatMap(({ hosts }): readonly Host[] => hosts)
  const has = (tier: { readonly hosts: readonly { readonly name: string }[] }, name: string) =>
    tier.hosts.some((host) => host.name === name)
  return [
    play('monitoring: firewall', { hosts: monitoring }, () => [
      base({ updates }),
      firewall(
        admins === undefined ? [] : [{ port: PAGES, from: admins.map((address) => ({ address })) }],
        sshFor(admins),
      ),
    ]),
    play('monitoring: exporters', { hosts: { hosts: all } }, (host) => [
      nodeExporter({ address: host.address, backups: has(backup, host.name) }),
      has(web, host.name) && nginxExporter(host),
      has(db, host.name) && postgresExporter(host),
    ]),
    play('monitoring', { hosts: monitoring }, (host) =>
      monitoringRole({
        address: host.address,
        targets: monitoringTargets(values),
        receivers: host.alerts,
        vip,
        replicas: db.hosts.length - 1,
        backups: backup.hosts.length > 0,
        limits: host.limits,
        keepDays: host.keepDays,
      }),
    ),
  ]
}
