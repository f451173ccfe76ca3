import type { Host } from 'provision-ts'
import { ADMIN_PORT } from '../../roles/haproxy/index.ts'
import { MONITORING_PORTS, type Target } from '../../roles/monitoring/index.ts'
import { METRICS_PORT, type Site } from '../schema.ts'

/** All exporters of the site: the node exporter of each host, and those of the services. */
export function monitoringTargets({
  lb,
  web,
  app,
  db,
  witness,
  backup,
  monitoring,
  application,
}: Site): readonly Target[] {
  const of = (job: Target['job'], tier: { readonly name: string; readonly hosts: readonly Host[] }, port: number) =>
    tier.hosts.map(({ name, address }): Target => ({ job, name, address, port, tier: tier.name }))
  return [
    ...[lb, web, app, db, witness, backup, monitoring].flatMap((tier) => of('node', tier, MONITORING_PORTS.node)),
    ...of('haproxy', lb, ADMIN_PORT),
    ...of('nginx', web, MONITORING_PORTS.nginx),
    ...(application.metrics ? of('app', app, METRICS_PORT) : []),
    ...of('postgres', db, MONITORING_PORTS.postgres),
  ]
}
