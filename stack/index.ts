/**
 * The web stack: load balancers, web servers, an application, its database and its backups. The schema of its inventory, its tiers, and
 * every operation as a playbook.
 *
 * @module provision-ts/stack
 */

export type { Application } from './application.ts'
export { type ArchiveOptions, archive } from './archive.ts'
export { skipMaintenance } from './lib/maintenance.ts'
export type { BalancerOptions, TierOptions } from './lib/tier.ts'
export { backup } from './operations/backup.ts'
export { decommission } from './operations/decommission.ts'
export { deploy } from './operations/deploy.ts'
export { disableSyncReplication } from './operations/disable-sync-replication.ts'
export { failover } from './operations/failover.ts'
export { maintenance } from './operations/maintenance.ts'
export type { OperationOptions, SiteOperation } from './operations/operation.ts'
export { reboot } from './operations/reboot.ts'
export { rejoin } from './operations/rejoin.ts'
export { renewCertificates } from './operations/renew-certificates.ts'
export { restore } from './operations/restore.ts'
export { restoreTest } from './operations/restore-test.ts'
export { rollback } from './operations/rollback.ts'
export { site } from './operations/site.ts'
export { switchover } from './operations/switchover.ts'
export { update } from './operations/update.ts'
export { type VerifyOptions, verify } from './operations/verify.ts'
export { type DatabaseHost, type Site, siteSchema } from './schema.ts'
export { appTier } from './tiers/app.ts'
export { backupTier } from './tiers/backup.ts'
export { balancerTier } from './tiers/balancer.ts'
export { databaseTier } from './tiers/database-hosts.ts'
export { monitoringTier } from './tiers/monitoring.ts'
export { webTier } from './tiers/web.ts'
