import { after, allAnswers, askHost, firewall, type Play, play, playbook } from 'provision-ts'
import { app, appReadiness } from '../roles/app/index.ts'
import { BACKUP_PORT, backupRepository, backupSource, walArchiving } from '../roles/backup/index.ts'
import { base } from '../roles/base/index.ts'
import { ADMIN_PORT, drainFrom, haproxy, haproxyLiveness } from '../roles/haproxy/index.ts'
import { keepalived, releaseVip } from '../roles/keepalived/index.ts'
import { nginx, nginxReadiness } from '../roles/nginx/index.ts'
import { clusterState, postgresPackages, primaryOf } from '../roles/postgres/index.ts'
import { RECORD } from '../roles/postgres/lib/record.ts'
import { UPSTREAM_PORT, upstream } from '../roles/upstream/index.ts'
import { NOTES } from './lib/database-params.ts'
import { skipMaintenance } from './lib/maintenance.ts'
import { releaseToDeploy } from './lib/releases.ts'
import { type BalancerOptions, CANARY, fromAdmins, isStopped, siteSteps, sshFor, type TierOptions } from './lib/tier.ts'
import { METRICS_PORT, type Site, site } from './schema.ts'
import { migrateSchema, schemaVersions } from './tiers/app.ts'
import { etcdPlays, failoverModePlays, failoverPackages, failoverRules } from './tiers/automatic-failover.ts'
import { databaseRoles, keepBackups } from './tiers/database.ts'

/** The whole site. Each tier uses only the tiers above it on this page. */
export default playbook(
  site,
  (values) => [
    skipMaintenance(values),
    ...databaseTier(values),
    ...backupTier(values),
    ...appTier(values),
    ...webTier(values),
    ...balancerTier(values),
  ],
  { description: 'Brings the whole system to the state that the inventory describes.' },
)

/** Databases: one primary, and replicas that follow it. */
export function databaseTier(values: Site): readonly Play[] {
  return [...databaseHosts(values), ...keepBackups(values), ...databaseRoles(values)]
}

/** The part of each database host that does not depend on who is the primary. */
export function databaseHosts(values: Site): readonly Play[] {
  const { app: apps, db, backup, authority, admins, updates } = values
  return [
    // Before the firewall: Patroni has to reach etcd until it is removed.
    ...failoverModePlays(values),
    play('database: packages', { hosts: db }, (host) => [
      base({ updates }),
      postgresPackages(host),
      failoverPackages(values),
      backup.hosts.map((repository) => backupSource({ ...host, authority, repository })),
    ]),
    play('database: firewall', { hosts: db }, (host) =>
      firewall(
        [
          { port: 5432, from: [...apps.hosts, ...db.without(host)] },
          { port: BACKUP_PORT, from: backup.hosts },
          ...failoverRules(values, host),
        ],
        sshFor(admins),
      ),
    ),
    ...etcdPlays(values),
  ]
}

/** Backups of the database, if the inventory has a host for them. */
export function backupTier({ backup, db, authority, admins, updates }: Site): readonly Play[] {
  if (backup.hosts.length === 0) return []
  return [
    play('backup: repository', { hosts: backup }, (host) => [
      base({ updates }),
      firewall([{ port: BACKUP_PORT, from: db.hosts }], sshFor(admins)),
      after(primaryOf(db), (primary) =>
        after(askHost(primary, clusterState), (found) =>
          backupRepository({ ...host, authority, found, version: primary.version, sources: db.hosts }),
        ),
      ),
    ]),
    play('backup: archive', { hosts: db }, (host) =>
      after(primaryOf(db), (primary) => host === primary && walArchiving({ host: host.name })),
    ),
  ]
}

/** Application servers. The web servers send no requests to one while it changes. */
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
        firewall([{ port: host.port, from: web.hosts }, ...fromAdmins(METRICS_PORT, admins)], sshFor(admins)),
        after(allAnswers(release(host, 'app'), schemaVersions(values)), ([build, versions]) => [
          migrateSchema(values, build, versions),
          app({
            release: build,
            listen: host,
            metrics: admins && { address: host.address, port: METRICS_PORT },
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

/** Web servers. The balancers send no requests to one while it changes. */
export function webTier(values: Site, options: TierOptions = {}): readonly Play[] {
  const { domain, lb, web, app: apps, admins, updates } = values
  const { label = 'web', serial = CANARY, release = releaseToDeploy, steps = siteSteps, outage } = options
  const rollout = {
    ...{ hosts: web, serial, isIdle: isStopped('nginx'), readiness: nginxReadiness },
    ...(!outage && { drain: drainFrom(lb, 'web') }),
  } as const
  return [
    play(label, rollout, (host) =>
      steps(host, [
        base({ updates }),
        firewall([{ port: host.port, from: lb.hosts }], sshFor(admins)),
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
            site: pages,
          }),
        ),
      ]),
    ),
  ]
}

/** Load balancers, one at a time. The one that holds the virtual IP address comes last. */
export function balancerTier(values: Site, options: BalancerOptions = {}): readonly Play[] {
  const { domain, certificate, vip, routerId, clientLimits, lb, web, admins, updates } = values
  const { label = 'balancers', steps = siteSteps, moveVip } = options
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
            ...fromAdmins(ADMIN_PORT, admins),
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
          admin: admins && { address: host.address, from: admins },
        }),
        keepalived({ ...host, vip, routerId, peers: lb.without(host) }),
      ]),
    ),
  ]
}
