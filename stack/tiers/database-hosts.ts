import { firewall, type Play, play } from 'provision-ts'
import { BACKUP_PORT, backupSource } from '../../roles/backup/index.ts'
import { base } from '../../roles/base/index.ts'
import { MONITORING_PORTS } from '../../roles/monitoring/index.ts'
import { postgresPackages } from '../../roles/postgres/index.ts'
import { fromMonitoring, sshFor } from '../lib/tier.ts'
import type { Site } from '../schema.ts'
import { etcdPlays, failoverModePlays, failoverPackages, failoverRules } from './automatic-failover.ts'
import { databaseRoles, keepBackups } from './database.ts'

/**
 * Databases: one primary, and replicas that follow it.
 *
 * @example
 * import { databaseTier, siteSchema } from 'provision-ts/stack'
 *
 * export default playbook(siteSchema, (values) => databaseTier(values))
 */
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
          ...fromMonitoring(values, MONITORING_PORTS.postgres),
        ],
        sshFor(admins),
      ),
    ),
    ...etcdPlays(values),
  ]
}
