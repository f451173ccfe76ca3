import {
  type Answers,
  after,
  allAnswers,
  ask,
  askEach,
  askHost,
  firewall,
  gate,
  type Host,
  type HostAnswer,
  mapAnswers,
  type Play,
  Problem,
  play,
  read,
  type Steps,
  service,
  sh,
} from 'provision-ts'
import { base } from '../../roles/base/index.ts'
import { CLIENT_PORT, etcd, PEER_PORT } from '../../roles/etcd/index.ts'
import { CERTIFICATE as MEMBER_CERTIFICATE } from '../../roles/etcd/params.ts'
import { fastFailover, withoutFastFailover } from '../../roles/fast-failover/index.ts'
import {
  noPatroniCluster,
  patroni,
  patroniBeginning,
  patroniConfiguration,
  patroniPackages,
  patroniPause,
  patroniReplica,
  patroniSettings,
  REST_PORT,
  withoutPatroni,
} from '../../roles/patroni/index.ts'
import { primaryOf } from '../../roles/postgres/index.ts'
import { clusterState } from '../../roles/postgres/lib/cluster-state.ts'
import { anyManaged, type Managing, manager, managerOf } from '../../roles/postgres/lib/manager.ts'
import type { Manager } from '../../roles/postgres/params.ts'
import { databaseParams, isAutomatic, isFast, returnsToManual, votersOf } from '../lib/database-params.ts'
import { withAnswers } from '../lib/record.ts'
import { fromMonitoring, sshFor } from '../lib/tier.ts'
import type { DatabaseHost, Site } from '../schema.ts'

/** The packages of a database host for automatic failover. */
export function failoverPackages(values: Site): Steps {
  return isAutomatic(values) && patroniPackages({})
}

/** The firewall rules of a database host for automatic failover. */
export function failoverRules(values: Site, host: DatabaseHost) {
  if (!isAutomatic(values)) return []
  const others = votersOf(values).filter(({ name }) => name !== host.name)
  return [
    { port: [CLIENT_PORT, PEER_PORT], from: others },
    { port: REST_PORT, from: others },
  ]
}

/** The members of etcd, whose majority decides about a change of the primary. */
export function etcdPlays(values: Site): readonly Play[] {
  const { authority, witness, updates, admins } = values
  if (!isAutomatic(values)) return []
  const members = votersOf(values)
  const certified = [...values.db.hosts, ...witness.hosts]
  return [
    play('witness', { hosts: witness }, (host) => [
      base({ updates }),
      firewall(
        [
          { port: [CLIENT_PORT, PEER_PORT], from: members.filter(({ name }) => name !== host.name) },
          ...fromMonitoring(values),
        ],
        sshFor(admins),
      ),
    ]),
    play('database: etcd', { hosts: { hosts: certified } }, (host) => etcd({ ...host, authority, members })),
  ]
}

/** The manager of each server when the run starts. */
export function managersOf(values: Site): Answers<(host: Host) => Manager> {
  const { db } = values
  if (!isAutomatic(values)) return { asks: [], value: () => () => 'systemd' }
  return mapAnswers(askEach(db, manager), (all) => (host: Host) => managerOf(host, all))
}

/** The parameters of Patroni that all hosts share. */
function clusterParams(host: DatabaseHost, values: Site) {
  const { authority, passwords, synchronous } = values
  return {
    ...host,
    ...{ authority, passwords, synchronous, etcd: votersOf(values) },
    settings: databaseParams(host, values).settings,
  }
}

/** The plays that come before all others of the database, because the mode of failover may change. */
export function failoverModePlays(values: Site): readonly Play[] {
  if (isAutomatic(values)) return [allHostsAnswer(values)]
  return returnsToManual(values) ? manualPlays(values) : []
}

/**
 * Systemd manages the servers again. Patroni is paused first, so that only the operator can promote a host from then on. The servers keep
 * their processes, unless Patroni has started them.
 */
function manualPlays(values: Site): readonly Play[] {
  const { db, synchronous = db.hosts.length > 1 } = values
  const managed = mapAnswers(
    askEach(db, manager),
    (all) => (host: Host) => all.some((one) => one.host.name === host.name && one.answer === 'patroni'),
  )
  const fatal = { hosts: db, anyErrorsFatal: true }
  return [
    play('database: pause automatic failover', fatal, (host) => after(managed, (by) => by(host) && patroniPause(host))),
    play('database: remove Patroni', fatal, (host) =>
      after(managed, (by) => by(host) && withoutPatroni({ ...host, synchronous: synchronous ? db.without(host) : [] })),
    ),
    fastFailoverPlay(values),
  ]
}

/** After the return to manual failover: when no database host uses it any more, the state of the cluster in etcd is deleted, and etcd stops. */
export function withoutEtcd(values: Site): readonly Play[] {
  const { db } = values
  if (!returnsToManual(values)) return []
  return [
    play('database: remove the cluster from etcd', { hosts: db }, (host) =>
      after(
        allAnswers(askHost(host, etcdRuns), askEach(db, manager)),
        ([runs, all]) => runs && !anyManaged(all) && noPatroniCluster({}),
      ),
    ),
    play('database: stop etcd', { hosts: { hosts: votersOf(values) } }, (host) =>
      after(askHost(host, etcdRuns), (runs) => runs && service('etcd', { state: 'stopped' })),
    ),
  ]
}

const etcdRuns = ask(
  'does etcd of this site run?',
  read(sh`[ -e ${MEMBER_CERTIFICATE} ] && systemctl is-active -q etcd`, ({ code }) => code === 0),
)

/** The settings of a running cluster come before those of the servers: a server gets its limits from there. */
export function clusterSettings(values: Site): readonly Play[] {
  const { db } = values
  if (!isAutomatic(values)) return []
  return [
    play('database: settings of the cluster', { hosts: db }, (host) =>
      after(
        withAnswers(primaryOf(db), askEach(db, manager)),
        ([primary, all]) =>
          host === primary && managedByAll(all) && patroniSettings({ ...clusterParams(host, values), pause: false }),
      ),
    ),
  ]
}

/** Every host that answers has Patroni, or no server yet. */
function managedByAll(all: readonly HostAnswer<Managing>[]): boolean {
  return anyManaged(all) && all.every(({ answer }) => answer !== 'systemd')
}

/**
 * Patroni starts to manage the servers while they run. The cluster is paused until the last step, so only the operator can promote a host
 * meanwhile. Then the servers get the settings of servers that Patroni manages.
 */
export function patroniPlays(
  values: Site,
  roles: (host: DatabaseHost, primary: DatabaseHost, manager: Manager) => Steps,
): readonly Play[] {
  const { db } = values
  if (!isAutomatic(values)) return []
  const primary = primaryOf(db)
  const before = new Map<string, Manager>()
  const noted = mapAnswers(askEach(db, manager), (all) => {
    for (const host of db.hosts) if (!before.has(host.name)) before.set(host.name, managerOf(host, all))
    return all
  })
  const fatal = { hosts: db, anyErrorsFatal: true }
  return [
    play('database: configuration of Patroni', { hosts: db }, (host) =>
      after(noted, () => patroniConfiguration(clusterParams(host, values))),
    ),
    play('database: cluster in etcd', fatal, (host) =>
      after(
        primary,
        (of) =>
          host === of &&
          after(askHost(host, clusterState), (found) =>
            patroniBeginning({
              ...clusterParams(host, values),
              system: found?.kind === 'cluster' ? found.system : undefined,
            }),
          ),
      ),
    ),
    play('database: Patroni on replicas', { hosts: db }, (host) =>
      after(primary, (of) => host !== of && patroni({ ...clusterParams(host, values), leader: false, replicas: [] })),
    ),
    play('database: Patroni on the primary', { hosts: db }, (host) =>
      after(
        primary,
        (of) => host === of && patroni({ ...clusterParams(host, values), leader: true, replicas: db.without(host) }),
      ),
    ),
    play('database: configuration of replicas', { hosts: db }, (host) =>
      after(primary, (of) => host !== of && patroniReplica(clusterParams(host, values))),
    ),
    play('database: settings of replicas', { hosts: db }, (host) =>
      after(
        withAnswers(primary, noted),
        ([of]) => host !== of && before.get(host.name) === 'systemd' && roles(host, of, 'patroni'),
      ),
    ),
    play('database: settings of the primary', { hosts: db }, (host) =>
      after(
        withAnswers(primary, noted),
        ([of]) => host === of && before.get(host.name) === 'systemd' && roles(host, of, 'patroni'),
      ),
    ),
    play('database: enable automatic failover', { hosts: db }, (host) =>
      after(
        primary,
        (of) =>
          host === of &&
          [...before.values()].includes('systemd') &&
          patroniSettings({ ...clusterParams(host, values), pause: false }),
      ),
    ),
    fastFailoverPlay(values),
  ]
}

/** The program on the witness that shortens a failover, or its removal. */
function fastFailoverPlay(values: Site): Play {
  const { authority, db, witness } = values
  const wanted = isAutomatic(values) && isFast(values)
  return play('witness: fast failover', { hosts: witness }, (host) =>
    wanted ? fastFailover({ ...host, authority, databases: db.hosts }) : withoutFastFailover({}),
  )
}

function allHostsAnswer({ db }: Site): Play {
  return gate(
    'database: all hosts answer before Patroni manages them',
    { hosts: db.hosts, ignoreUnreachable: () => 'is not reachable' },
    mapAnswers(askEach(db, manager), unreachableProblem),
  )
}

/** A host that does not answer when the cluster begins would come back with a server that Patroni does not know. */
export function unreachableProblem(all: readonly HostAnswer<Managing>[]): Problem | undefined {
  const silent = all.filter(({ answer }) => answer === undefined)
  if (anyManaged(all) || silent.length === 0) return undefined
  return new Problem(
    `${silent.map(({ host }) => host.name).join(', ')} cannot be reached, so failover cannot become automatic`,
    {
      next: 'Nothing was changed. Make the host reachable or remove it from the inventory, and run the same command again.',
    },
  )
}
