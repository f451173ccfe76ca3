import { after, allAnswers, askEach, type Host, mapAnswers, type Play, play } from 'provision-ts'
import { noExistingBackups, repositoryInfo } from '../../roles/backup/index.ts'
import { postgresReplication } from '../../roles/postgres/index.ts'
import { clusterState } from '../../roles/postgres/lib/cluster-state.ts'
import { raisesLimits, serverLimits } from '../../roles/postgres/lib/limits.ts'
import { runningReplicas } from '../../roles/postgres/lib/primary.ts'
import type { Manager } from '../../roles/postgres/params.ts'
import { postgresPrimary } from '../../roles/postgres-primary/index.ts'
import { postgresReplica } from '../../roles/postgres-replica/index.ts'
import { databaseParams } from '../lib/database-params.ts'
import { maintenanceSince } from '../lib/maintenance.ts'
import { primaryIn, recordPlays, withAnswers } from '../lib/record.ts'
import type { DatabaseHost, Site } from '../schema.ts'
import { clusterSettings, managersOf, patroniPlays, withoutEtcd } from './automatic-failover.ts'

/** Refuses to create an empty database if there are backups of one. */
export function keepBackups({ db, backup, domain }: Site): readonly Play[] {
  const found = mapAnswers(
    allAnswers(askEach(db, clusterState), askEach(backup, repositoryInfo)),
    ([states, [repository]]) => ({
      empty: states.every(({ answer }) => answer?.kind === 'nothing'),
      held: repository?.answer,
    }),
  )
  if (backup.hosts.length === 0) return []
  return [
    play('database: refuse an empty database if there are backups', { hosts: db }, ({ name }) =>
      after(found, (all) => noExistingBackups({ host: name, domain, ...all })),
    ),
  ]
}

interface DatabaseOptions {
  /** The old primary that becomes a replica, and the action for its data. */
  readonly rejoin?: { readonly host: DatabaseHost; readonly oldPrimary: 'rewind' | 'copy' }
  /** The host whose maintenance ends: commits wait for it again. */
  readonly back?: Host
}

/** The servers, their roles and replication. {@link failoverModePlays} comes before, once. */
export function databaseRoles(values: Site, { rejoin, back }: DatabaseOptions = {}): readonly Play[] {
  const { db, synchronous = db.hosts.length > 1 } = values
  // A host that must become a replica is not asked: it may still report that it is the primary.
  const candidates = rejoin ? { hosts: db.without(rejoin.host) } : db
  const primary = primaryIn(values, candidates)
  const managers = managersOf(values)
  const known = withAnswers(primary, managers)
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
    play('database: raised limits of replicas', { hosts: db }, (host) =>
      after(withAnswers(known, askEach(db, serverLimits)), ([[of, manager], found]) => {
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
      after(withAnswers(known, replicaStates(db)), ([[of, manager], { found, inMaintenance }]) => {
        const counts = ({ name }: Host) => name === back?.name || !inMaintenance.includes(name)
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
    ...withoutEtcd(values),
  ]
}

/** The states of the database hosts, and the names of those in maintenance, for which no commit waits. */
function replicaStates(db: Pick<Site['db'], 'hosts'>) {
  return mapAnswers(allAnswers(askEach(db, clusterState), askEach(db, maintenanceSince)), ([found, marks]) => ({
    found,
    inMaintenance: marks.flatMap(({ host, answer }) => (answer === undefined ? [] : [host.name])),
  }))
}
