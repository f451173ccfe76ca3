import { type Check, type Checks, check, type Host, sh } from 'provision-ts'
import { appChecks } from '../../roles/app/checks.ts'
import { backupChecks } from '../../roles/backup/index.ts'
import { baseChecks, clocksAgree, portsClosed, portsOpen, type Target } from '../../roles/base/checks.ts'
import { certificatesValid } from '../../roles/base/lib/certificate-expiry.ts'
import { etcdChecks } from '../../roles/etcd/checks.ts'
import { fastFailoverChecks } from '../../roles/fast-failover/checks.ts'
import { haproxyChecks, siteChecks, trustAuthority } from '../../roles/haproxy/checks.ts'
import { keepalivedChecks } from '../../roles/keepalived/checks.ts'
import { monitoringChecks } from '../../roles/monitoring/checks.ts'
import { nginxChecks } from '../../roles/nginx/checks.ts'
import { patroniChecks } from '../../roles/patroni/checks.ts'
import { postgresChecks } from '../../roles/postgres/checks.ts'
import { recordChecks } from '../../roles/postgres/lib/record-checks.ts'
import { postgresPrimaryChecks } from '../../roles/postgres-primary/checks.ts'
import { postgresReplicaChecks } from '../../roles/postgres-replica/checks.ts'
import { upstreamChecks } from '../../roles/upstream/checks.ts'
import { livePath, readyPath } from '../application.ts'
import type { Site } from '../schema.ts'
import { isAutomatic, isFast, votersOf } from './database-params.ts'
import { monitoringTargets } from './monitoring-targets.ts'
import { recorders } from './record.ts'
import { hasPages } from './releases.ts'

/** Checks the holder of the virtual IP, and the answer that a client gets there. The web servers act as clients. */
export function balancerTierChecks({ lb, vip, web, ...values }: Site): Checks {
  return [
    keepalivedChecks(lb, vip),
    lb.hosts.map((host) => haproxyChecks(host, { ...values, servers: web.hosts })),
    web.hosts.map((host) => siteChecks(host, { ...values, vip })),
    web.hosts.map((host) => pathsAnswer(host, { ...values, vip })),
  ]
}

export function webTierChecks({ lb, web, app, db, application }: Site): Checks {
  return [
    web.hosts.map((host) =>
      nginxChecks(host, {
        apps: app.hosts,
        ready: readyPath(application),
        live: livePath(application),
        pages: hasPages({ application }),
      }),
    ),
    web.hosts.map((host) => upstreamChecks(host, 'app', app.hosts)),
    lb.hosts.map((host) => portsOpen(host, web.hosts)),
    app.hosts.map((host) => portsClosed(host, web.hosts, { controls: databases(db) })),
  ]
}

export function appTierChecks({ lb, web, app, application }: Site): Checks {
  return [
    app.hosts.map((host) => appChecks(host, { ...application, ready: readyPath(application) })),
    lb.hosts.map((host) => portsClosed(host, app.hosts, { controls: web.hosts })),
  ]
}

export function databaseTierChecks(values: Site): Checks {
  const { lb, web, app, db, synchronous = db.hosts.length > 1 } = values
  const doors = databases(db)
  return [
    postgresChecks(db, isAutomatic(values) ? { unit: 'patroni' } : {}),
    postgresPrimaryChecks(db),
    postgresReplicaChecks(db),
    isAutomatic(values)
      ? automaticFailoverChecks(values)
      : // Patroni changes the primary without a run, so the record is not used with it.
        recordChecks({ db, recorders: recorders(values), synchronous: synchronous !== false }),
    app.hosts.map((host) => portsOpen(host, doors)),
    lb.hosts.map((host) => portsClosed(host, doors, { controls: web.hosts })),
    web.hosts.map((host) => portsClosed(host, doors, { controls: app.hosts })),
  ]
}

/** Checks Patroni, the votes, and the program that shortens a failover. */
export function automaticFailoverChecks(values: Site): Checks {
  const { db, witness } = values
  return [
    patroniChecks(db),
    etcdChecks({ hosts: votersOf(values) }),
    isFast(values) && witness.hosts.map((host) => fastFailoverChecks(host)),
  ]
}

function databases(db: Site['db']): readonly Target[] {
  return db.hosts.map(({ name, address }) => ({ name, address, port: 5432 }))
}

export function backupTierChecks({ backup, db }: Site): Checks {
  return backup.hosts.map((host) => backupChecks(host, db))
}

export function monitoringTierChecks(values: Site): Checks {
  return values.monitoring.hosts.map((host) => monitoringChecks(host, monitoringTargets(values)))
}

export function hostChecks({ lb, web, app, db, witness, backup, monitoring }: Site): Checks {
  const all = [lb, web, app, db, witness, backup, monitoring].flatMap(({ hosts }): readonly Host[] => hosts)
  return [all.map((host) => [baseChecks(host), certificatesValid(host)]), clocksAgree(all)]
}

/** The whole way through all tiers, without a change to any data. */
function pathsAnswer(
  host: Host,
  { domain, vip, authority, application }: Pick<Site, 'domain' | 'vip' | 'authority' | 'application'>,
): readonly Check[] {
  const way = `${domain}:443:${vip.replace(/\/.*/, '')}`
  return (application.checks ?? []).map((path) => {
    const curl = sh`curl -fsS -o /dev/null --resolve ${way} ${`https://${domain}${path}`}`
    return check(host, `GET ${path} answers through the virtual IP`, trustAuthority(authority, curl))
  })
}
