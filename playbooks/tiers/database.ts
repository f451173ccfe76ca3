import { type Answers, after, allAnswers, askEach, firewall, type Host, type Play, play } from 'provision-ts'
import {
  BACKUP_PORT,
  backupSource,
  noExistingBackups,
  type RepositoryInfo,
  repositoryInfo,
} from '../../roles/backup/index.ts'
import { base } from '../../roles/base/index.ts'
import {
  postgresPackages,
  postgresPrimary,
  postgresReplica,
  postgresReplication,
} from '../../roles/postgres/index.ts'
import { clusterState } from '../../roles/postgres/lib/cluster-state.ts'
import { raisesLimits, serverLimits } from '../../roles/postgres/lib/limits.ts'
import { runningReplicas } from '../../roles/postgres/lib/primary.ts'
import type { Manager } from '../../roles/postgres/params.ts'
import {
  clusterSettings,
  etcdPlays,
  failoverPackages,
  failoverRules,
  managersOf,
  patroniPlays,
} from '../lib/automatic-failover.ts'
import { databaseParams } from '../lib/database-params.ts'
import { maintenanceSince } from '../lib/maintenance.ts'
import { primaryIn, recordPlays } from '../lib/record.ts'
import { sshFor } from '../lib/tier.ts'
import type { DatabaseHost, Site } from '../schema.ts'

/** The databases: first what all of them have, then who takes writes, then who follows. */
export function databaseTier(values: Site): readonly Play[] {
  return [...databaseHosts(values), ...nothingToBringBack(values), ...databaseRoles(values)]
}

/** What every database host has, whether there is a database on it or not. */
export function databaseHosts(values: Site): readonly Play[] {
  const { app: apps, db, backup, authority, admins, updates } = values
  return [
    play('database: packages', { hosts: db }, (host) => [
      base({ updates }),
      postgresPackages(host),
      failoverPackages(values),
      backup.hosts.map((repository) => backupSource({ ...host, authority, repository })),
    ]),
    play('database: access', { hosts: db }, (host) => [
      firewall(
        [
          { port: 5432, from: [...apps.hosts, ...db.without(host)] },
          { port: BACKUP_PORT, from: backup.hosts },
          ...failoverRules(values, host),
        ],
        sshFor(admins),
      ),
    ]),
    ...etcdPlays(values),
  ]
}

/** No empty database is made where there are backups of one. */
function nothingToBringBack({ db, backup, domain }: Site): readonly Play[] {
  const places = askEach(db, clusterState)
  const held = askEach(backup, repositoryInfo)
  // Asked together: one after the other they would take a round trip each.
  const found: Answers<{ readonly empty: boolean; readonly held: RepositoryInfo | undefined }> = {
    asks: [...places.asks, ...held.asks],
    value: (answerTo) => ({
      empty: places.value(answerTo).every(({ answer }) => answer?.kind === 'nothing'),
      held: held.value(answerTo)[0]?.answer,
    }),
  }
  if (backup.hosts.length === 0) return []
  return [
    play('database: nothing to bring back', { hosts: db }, ({ name }) =>
      after(found, (all) => noExistingBackups({ host: name, domain, ...all })),
    ),
  ]
}

export interface DatabaseOptions {
  /** The host that is to be a replica although it was a primary, and what becomes of its data. */
  readonly rejoin?: { readonly host: DatabaseHost; readonly oldPrimary: 'rewind' | 'copy' }
  /** The host whose maintenance ends: writes wait for it again. */
  readonly back?: Host
}

export function databaseRoles(values: Site, { rejoin, back }: DatabaseOptions = {}): readonly Play[] {
  const { db, synchronous = db.hosts.length > 1 } = values
  // A host that is to be a replica is not asked whether it is the primary: it may still believe so.
  const candidates = rejoin ? { hosts: db.without(rejoin.host) } : db
  const primary = primaryIn(values, candidates)
  const managers = managersOf(values)
  const known = allAnswers(primary, managers)
  const primaryRole = (host: DatabaseHost, manager: Manager) =>
    postgresPrimary({ ...databaseParams(host, values), manager, replicas: db.without(host) })
  const replica = (host: DatabaseHost, of: DatabaseHost, manager: Manager) =>
    postgresReplica({
      ...databaseParams(host, values),
      ...{ manager, primary: of },
      oldPrimary: host === rejoin?.host ? rejoin.oldPrimary : undefined,
    })
  return [
    ...clusterSettings(values),
    play('database: raised limits', { hosts: db }, (host) =>
      after(allAnswers(known, askEach(db, serverLimits)), ([[of, manager], found]) => {
        const has = found.find((one) => one.host === of)?.answer
        return (
          host !== of &&
          host !== rejoin?.host &&
          manager(host) === 'systemd' &&
          raisesLimits(databaseParams(host, values), has) &&
          replica(host, of, 'systemd')
        )
      }),
    ),
    play('database: primary', { hosts: db }, (host) =>
      after(known, ([of, manager]) => host === of && primaryRole(host, manager(host))),
    ),
    play('database: replicas', { hosts: db }, (host) =>
      after(known, ([of, manager]) => host !== of && replica(host, of, manager(host))),
    ),
    play('database: replication', { hosts: db }, (host) =>
      after(allAnswers(known, databasesOf(db)), ([[of, manager], { found, away }]) => {
        const counts = ({ name }: Host) => name === back?.name || !away.includes(name)
        return (
          host === of &&
          postgresReplication({
            version: host.version,
            replicas: runningReplicas(found).filter(counts),
            // Patroni decides for which replicas a commit waits.
            ...(manager(host) === 'systemd' && {
              synchronous: synchronous ? db.without(host).filter(counts) : [],
            }),
          })
        )
      }),
    ),
    ...patroniPlays(values, (host, of, manager) =>
      host === of ? primaryRole(host, manager) : replica(host, of, manager),
    ),
    ...recordPlays(values, { candidates, back }),
  ]
}

/** What the database hosts have, and which of them people have for themselves: nobody waits for those. */
function databasesOf(db: Pick<Site['db'], 'hosts'>) {
  const places = askEach(db, clusterState)
  const marks = askEach(db, maintenanceSince)
  return {
    asks: [...places.asks, ...marks.asks],
    value: (answerTo: Parameters<typeof places.value>[0]) => ({
      found: places.value(answerTo),
      away: marks.value(answerTo).flatMap(({ host, answer }) => (answer === undefined ? [] : [host.name])),
    }),
  }
}
