import {
  absent,
  after,
  askEach,
  askHost,
  flag,
  gate,
  type Host,
  mapAnswers,
  type Play,
  Problem,
  play,
  playbook,
  service,
  text,
  withDescription,
} from 'provision-ts'
import { drainServer, undrainServer } from '../../roles/haproxy/index.ts'
import { allowVip, moveVipAway } from '../../roles/keepalived/resources/vip.ts'
import { patroniStopped } from '../../roles/patroni/index.ts'
import { postgresReplication } from '../../roles/postgres/index.ts'
import { clusterState } from '../../roles/postgres/lib/cluster-state.ts'
import { runningReplicas } from '../../roles/postgres/lib/primary.ts'
import { appStopped } from '../lib/app-params.ts'
import { isAutomatic, votersOf } from '../lib/database-params.ts'
import { type Condition, outageFlag, requireReplicaLeft, requireSpareHost } from '../lib/gates.ts'
import { findHost, type SiteHost } from '../lib/hosts.ts'
import { MAINTENANCE_FILE, maintenanceSince, skipHosts, startMaintenance } from '../lib/maintenance.ts'
import { primaryIn } from '../lib/record.ts'
import { releaseOfPeers } from '../lib/releases.ts'
import { type Site, siteSchema } from '../schema.ts'
import { appTier } from '../tiers/app.ts'
import { allVotes } from '../tiers/automatic-operations.ts'
import { balancerTier } from '../tiers/balancer.ts'
import { databaseRoles } from '../tiers/database.ts'
import { databaseTier } from '../tiers/database-hosts.ts'
import { webTier } from '../tiers/web.ts'
import { type OperationOptions, type SiteOperation, withOwnPlays } from './operation.ts'

/**
 * A host is out of service for work by hand, and runs skip it. It is marked before it is taken out of service, and the mark is deleted last,
 * so that the host stays in maintenance mode after an interruption.
 *
 * @example
 * import { maintenance } from 'provision-ts/stack'
 *
 * export default maintenance()
 */
export function maintenance(own: OperationOptions = {}): SiteOperation {
  return withOwnPlays(
    own,
    playbook(
      siteSchema,
      (values, { host: name, end, outage }) => {
        const host = findHost(values, name)
        if (host.group === 'witness' && !isAutomatic(values))
          throw new Problem(`${name} has no vote, because failover is manual`, {
            next: 'Nothing was changed. Nothing depends on the witness, so it needs no maintenance mode.',
          })
        return end ? back(values, host) : away(values, host, outage)
      },
      {
        description:
          'Takes a host out of service for work by hand. The same command with --end updates it and returns it to service. Until then, other runs skip it.',
        flags: {
          host: withDescription('the host', text),
          end: withDescription('end the maintenance and return the host to service', flag),
          outage: outageFlag,
        },
      },
    ),
  )
}

function away(values: Site, host: SiteHost, outage: boolean): readonly Play[] {
  const { lb, vip } = values
  const own = { hosts: [host] }
  const out = {
    lb: () => [play(`${host.name}: move the virtual IP to a peer`, { hosts: own }, () => moveVipAway(vip))],
    web: () => [
      play(`balancers: drain ${host.name}`, { hosts: lb }, () => drainServer({ backend: 'web', name: host.name })),
    ],
    app: () => [play(`${host.name}: stop ${values.application.name}`, { hosts: own }, () => appStopped(values))],
    db: () => [
      isAutomatic(values)
        ? play(`${host.name}: stop Patroni`, { hosts: own }, () => patroniStopped(host))
        : notWaitedFor(values, host),
    ],
    witness: () => [play(`${host.name}: stop etcd`, { hosts: own }, () => service('etcd', { state: 'stopped' }))],
  }
  return [
    gate(
      `maintenance of ${host.name}: preconditions`,
      hostAndPeers(values, host),
      host.group === 'db' && isNotPrimary(values, host),
      (host.group === 'db' || host.group === 'witness') && isAutomatic(values) && allVotes(values),
      host.group === 'db' && requireReplicaLeft(values, { host, outage }),
      host.group !== 'witness' && requireSpareHost(values, host.group, { host, outage }),
    ),
    play(`${host.name}: start maintenance`, { hosts: own }, () => startMaintenance(host)),
    ...out[host.group](),
  ]
}

/** The host gets the changes that it missed before it serves again. */
function back(values: Site, host: SiteHost): readonly Play[] {
  const { lb, vip } = values
  const own = { hosts: [host] }
  const release = releaseOfPeers(
    values,
    [...values.app.hosts, ...values.web.hosts].filter(
      (other) => other.group === host.group && other.name !== host.name,
    ),
  )
  const tiers = {
    lb: () => balancerTier(values),
    web: () => webTier(values, { release }),
    app: () => appTier(values, { release }),
    db: () => databaseTier(values),
    witness: () => databaseTier(values),
  }
  const highest = Math.max(...lb.hosts.map(({ priority }) => priority))
  const first = lb.hosts.some(({ name, priority }) => name === host.name && priority === highest)
  const into = {
    lb: () => [play(`${host.name}: allow the virtual IP to return`, { hosts: own }, () => allowVip(vip, { first }))],
    web: () => [
      play(`balancers: undrain ${host.name}`, { hosts: lb }, () => undrainServer({ backend: 'web', name: host.name })),
    ],
    app: () => [],
    db: () => databaseRoles(values, { back: host }),
    witness: () => [],
  }
  const peers = hostAndPeers(values, host)
  return [
    skipHosts(peers.hosts.filter(({ name }) => name !== host.name)),
    gate(`${host.name} and its peers are reachable`, peers),
    ...[
      ...tiers[host.group]().map((one) => alone(one, host)),
      gate(`${host.name} is up to date`, own),
      ...into[host.group](),
      gate(`${host.name} is in service`, peers),
      play(`${host.name}: end maintenance`, { hosts: own }, () => absent(MAINTENANCE_FILE)),
    ].map((one) => whileAway(one, host)),
  ]
}

/** Does nothing if the host is not in maintenance. */
function whileAway(one: Play, host: Host): Play {
  return {
    ...one,
    steps: (other) => after(askHost(host, maintenanceSince), (since) => since !== undefined && one.steps(other)),
  }
}

/** The play for this host only, without its drain: the host is out of service already, and stays so until it is healthy. */
function alone(one: Play, { name }: Host): Play {
  return { ...one, hosts: one.hosts.filter((host) => host.name === name), drain: undefined }
}

/** The host, and the hosts that change with it. */
function hostAndPeers(values: Site, host: SiteHost): { readonly hosts: readonly Host[] } {
  const { lb, db } = values
  if (host.group === 'web') return { hosts: [host, ...lb.hosts] }
  if (host.group === 'witness') return { hosts: votersOf(values) }
  return host.group === 'db' ? db : { hosts: [host] }
}

function isNotPrimary(values: Site, { name }: Host): Condition {
  return mapAnswers(primaryIn(values), (primary) => {
    if (primary instanceof Problem) return primary
    return primary.name === name
      ? new Problem(`${name} is the primary of the database`, {
          next: 'Nothing was changed. Switch over first: provision switchover.',
        })
      : undefined
  })
}

/** A commit would wait for the host while it is in maintenance. Without another replica, writes are only on the primary until then. */
function notWaitedFor(values: Site, away: Host): Play {
  const { db, synchronous = db.hosts.length > 1 } = values
  return play(`database: synchronous replication without ${away.name}`, { hosts: db }, (host) =>
    after(primaryIn(values), (primary) =>
      after(
        askEach({ hosts: db.without(primary) }, clusterState),
        (found) =>
          host === primary &&
          synchronous &&
          postgresReplication({
            version: host.version,
            replicas: runningReplicas(found).filter(({ name }) => name !== away.name),
            synchronous: db.without(primary).filter(({ name }) => name !== away.name),
          }),
      ),
    ),
  )
}
