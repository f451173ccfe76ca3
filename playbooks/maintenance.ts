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
import { drainServer, undrainServer } from '../roles/haproxy/index.ts'
import { allowVip, moveVipAway } from '../roles/keepalived/resources/vip.ts'
import { patroniStopped } from '../roles/patroni/index.ts'
import { postgresReplication } from '../roles/postgres/index.ts'
import { clusterState } from '../roles/postgres/lib/cluster-state.ts'
import { runningReplicas } from '../roles/postgres/lib/primary.ts'
import { isAutomatic } from './lib/database-params.ts'
import { type Condition, outageFlag, requireReplicaLeft, requireSpareHost } from './lib/gates.ts'
import { findHost, type TierHost } from './lib/hosts.ts'
import { MAINTENANCE_FILE, maintenanceSince, startMaintenance } from './lib/maintenance.ts'
import { primaryIn } from './lib/record.ts'
import { releaseOfPeers } from './lib/releases.ts'
import { type Site, site } from './schema.ts'
import { appTier, balancerTier, databaseTier, webTier } from './site.ts'
import { allVotes } from './tiers/automatic-operations.ts'
import { databaseRoles } from './tiers/database.ts'

/**
 * A host is for people alone for a time: others do its work, and runs leave it out. It is marked before it is taken out of service, and
 * the mark is deleted last, so that the host stays in maintenance mode after an interruption.
 */
export default playbook(
  site,
  (values, { host: name, end, outage }) => {
    const host = findHost(values, name)
    return end ? back(values, host) : away(values, host, outage)
  },
  {
    description:
      'Takes a host out of service for people to work on, until the same command with --end brings it to its state and back into service. Other runs leave it out.',
    flags: {
      host: withDescription('the host to take out of service', text),
      end: withDescription('end the maintenance and return the host to service', flag),
      outage: outageFlag,
    },
  },
)

function away(values: Site, host: TierHost, outage: boolean): readonly Play[] {
  const { lb, vip } = values
  const own = { hosts: [host] }
  const out = {
    lb: () => [play(`${host.name}: the address with a peer`, { hosts: own }, () => moveVipAway(vip))],
    web: () => [
      play(`balancers: no new requests for ${host.name}`, { hosts: lb }, () =>
        drainServer({ backend: 'web', name: host.name }),
      ),
    ],
    app: () => [play(`${host.name}: out of service`, { hosts: own }, () => service('notes', { state: 'stopped' }))],
    db: () => [
      isAutomatic(values)
        ? play(`${host.name}: out of the cluster`, { hosts: own }, () => patroniStopped(host))
        : notWaitedFor(values, host),
    ],
  }
  return [
    gate(
      `maintenance of ${host.name}: preconditions`,
      hostAndPeers(values, host),
      host.group === 'db' && isNotPrimary(values, host),
      host.group === 'db' && isAutomatic(values) && allVotes(values),
      host.group === 'db' && requireReplicaLeft(values, { host, outage }),
      requireSpareHost(values, host.group, { host, outage }),
    ),
    play(`${host.name}: in maintenance`, { hosts: own }, () => startMaintenance(host)),
    ...out[host.group](),
  ]
}

/** The host gets the changes that it missed before it serves again. */
function back(values: Site, host: TierHost): readonly Play[] {
  const { lb, vip } = values
  const own = { hosts: [host] }
  const release = releaseOfPeers(
    [...values.app.hosts, ...values.web.hosts].filter(
      (other) => other.group === host.group && other.name !== host.name,
    ),
  )
  const tiers = {
    lb: () => balancerTier(values),
    web: () => webTier(values, { release }),
    app: () => appTier(values, { release }),
    db: () => databaseTier(values),
  }
  const highest = Math.max(...lb.hosts.map(({ priority }) => priority))
  const first = lb.hosts.some(({ name, priority }) => name === host.name && priority === highest)
  const into = {
    lb: () => [play(`${host.name}: the address may come back`, { hosts: own }, () => allowVip(vip, { first }))],
    web: () => [
      play(`balancers: ${host.name} is back`, { hosts: lb }, () => undrainServer({ backend: 'web', name: host.name })),
    ],
    app: () => [],
    db: () => databaseRoles(values, { back: host }),
  }
  return [
    gate(`${host.name} and its peers are reachable`, hostAndPeers(values, host)),
    ...[
      ...tiers[host.group]().map((one) => alone(one, host)),
      gate(`${host.name} is up to date`, own),
      ...into[host.group](),
      gate(`${host.name} is in service`, hostAndPeers(values, host)),
      play(`${host.name}: no longer in maintenance`, { hosts: own }, () => absent(MAINTENANCE_FILE)),
    ].map((one) => whileAway(one, host)),
  ]
}

/** Nothing is done about a host that is not in maintenance. */
function whileAway(one: Play, host: Host): Play {
  return {
    ...one,
    steps: (other) => after(askHost(host, maintenanceSince), (since) => since !== undefined && one.steps(other)),
  }
}

/** The play for this host only. Nothing is done around it: it is out of service already, and is to stay so until it is well. */
function alone(one: Play, { name }: Host): Play {
  return { ...one, hosts: one.hosts.filter((host) => host.name === name), drain: undefined }
}

/** The host, and the hosts that change with it. */
function hostAndPeers({ lb, db }: Site, host: TierHost): { readonly hosts: readonly Host[] } {
  if (host.group === 'web') return { hosts: [host, ...lb.hosts] }
  return host.group === 'db' ? db : { hosts: [host] }
}

function isNotPrimary(values: Site, { name }: Host): Condition {
  return mapAnswers(primaryIn(values), (primary) =>
    primary.name === name
      ? new Problem(`${name} is the primary of the database, and takes all writes`, {
          next: 'Nothing was changed. Switch over first: provision switchover.',
        })
      : undefined,
  )
}

/** A commit would wait for it for as long as it is away. Without another replica, writes are on the primary alone meanwhile. */
function notWaitedFor(values: Site, away: Host): Play {
  const { db, synchronous = db.hosts.length > 1 } = values
  return play(`database: writes do not wait for ${away.name}`, { hosts: db }, (host) =>
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
