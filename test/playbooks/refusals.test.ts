import { expect } from 'chai'
import { group, type Inventory, type Play, type Playbook, Problem } from 'provision-ts'
import { notes } from '../../inventory/notes.ts'
import backup from '../../playbooks/backup.ts'
import decommission from '../../playbooks/decommission.ts'
import failover from '../../playbooks/failover.ts'
import maintenance from '../../playbooks/maintenance.ts'
import reboot from '../../playbooks/reboot.ts'
import rejoin from '../../playbooks/rejoin.ts'
import restore from '../../playbooks/restore.ts'
import restoreTest from '../../playbooks/restore-test.ts'
import rollback from '../../playbooks/rollback.ts'
import switchover from '../../playbooks/switchover.ts'
import update from '../../playbooks/update.ts'
import { type Cluster, type ClusterState, clusterState } from '../../roles/postgres/lib/cluster-state.ts'
import { type ReplicationState, replicationState, type Server } from '../../roles/postgres/lib/replication-state.ts'
import { maintenanceSince as sinceWhen } from '../../stack/lib/maintenance.ts'
import { hostReleases } from '../../stack/lib/releases.ts'
import type { Site, siteSchema as stackOfSite } from '../../stack/schema.ts'
import { vote } from '../../stack/tiers/automatic-operations.ts'
import stackInventory from '../report/graph/stack-inventory.ts'
import { type Answering, refusalOf, repetitionsOf } from './refused.ts'

type SitePlaybook = Playbook<(typeof stackOfSite)['entries']>
type Flags = Readonly<Record<string, unknown>>

const PRIMARY: Cluster = {
  ...{ kind: 'cluster', version: 15, standby: false, running: true },
  ...{ system: '77', timeline: 1, state: 'in production' },
}
const REPLICA: ClusterState = { ...PRIMARY, standby: true }
const STOPPED: ClusterState = { ...PRIMARY, running: false, state: 'shut down' }
const NOTHING: ClusterState = { kind: 'nothing' }

const SERVER: Server = {
  ...{ synchronous: true, backup: false, oldestTransaction: 0, replicas: [], receiver: null },
  ...{ received: '0/5000', replayed: '0/5000', lastCommit: '2026-11-22 10:00:00+00' },
}
const standingAt = (where: ClusterState): ReplicationState => ({
  ...{ cluster: where, server: SERVER, uptime: 500, lastRecord: undefined, seesPrimary: false },
})

const SERVING = { ready: true, maintenance: false }

/** Hosts in service that answer these queries. */
const telling =
  (question: unknown, said: Readonly<Record<string, unknown>>): Answering =>
  ({ name }, asked) => {
    if (asked === question) return said[name]
    return asked === sinceWhen ? undefined : SERVING
  }
const databases = (db1: ClusterState | undefined, db2: ClusterState | undefined) => telling(clusterState, { db1, db2 })
const standings = (db1: ClusterState | undefined, db2: ClusterState | undefined) =>
  telling(replicationState, { db1: db1 && standingAt(db1), db2: db2 && standingAt(db2) })

/** Answers the state query of the tiers, which is a new object each time. */
const states =
  (said: Readonly<Record<string, object | undefined>>): Answering =>
  ({ name }, asked) =>
    asked === clusterState ? REPLICA : said[name]

const releases = (said: Readonly<Record<string, readonly string[]>>): Answering =>
  telling(
    hostReleases({ application: notes }),
    Object.fromEntries(
      Object.entries(said).map(([name, [current, ...others]]) => {
        const all = [current, ...others].map((id) => ({ id, state: 'used' }))
        return [name, { parts: { app: { current, all }, public: { current, all } }, away: false }]
      }),
    ),
  )
const everywhere = (...all: readonly string[]) => releases({ app1: all, app2: all, web1: all, web2: all })

interface Case {
  readonly of: SitePlaybook
  readonly flags?: Flags
  readonly answering?: Answering
  /** The differences to a site with two hosts of each tier, and backups. */
  readonly without?: (site: Site) => Partial<Site>
  readonly text: string
}

const only = (values: Site, tier: 'web' | 'app') => ({
  [tier]: group(tier, values[tier].hosts.slice(0, 1)),
})

const automatic = ({ db }: Site) => ({
  db: group(
    'db',
    db.hosts.map((host) => ({ ...host, failover: 'automatic' as const })),
  ),
  witness: group(
    'witness',
    db.hosts.slice(0, 1).map((host) => ({ ...host, name: 'witness1', group: 'witness' })),
  ),
})
/** Databases in service whose members of etcd have a vote or not. */
const votes =
  (said: Readonly<Record<string, boolean>>): Answering =>
  ({ name }, asked) =>
    asked === vote ? said[name] : SERVING
const withWitness = (values: Site) => ({
  witness: group(
    'witness',
    values.db.hosts.slice(0, 1).map((host) => ({ ...host, name: 'witness1' })),
  ),
})

const CASES: Readonly<Record<string, Case>> = {
  'a backup of a site that keeps none': {
    of: backup,
    without: () => ({ backup: group('backup', []) }),
    text: `error: The inventory has no backup host, so there are no backups
   at backup
   Add the group: backup: { passphrase: …, hosts: { backup1: { address: …, certificate: … } } }.`,
  },
  'a restore test of a site that keeps no backups': {
    of: restoreTest,
    without: () => ({ backup: group('backup', []) }),
    text: `error: The inventory has no backup host, so there are no backups
   at backup
   Add the group: backup: { passphrase: …, hosts: { backup1: { address: …, certificate: … } } }.`,
  },
  'a restore without confirmation': {
    of: restore,
    flags: { to: '2026-11-22 12:00:00+00' },
    text: `error: A restore replaces the data of notes.example.com with older data
   Nothing was changed. To confirm, add --confirm notes.example.com. The present data are moved to another directory, not deleted.`,
  },
  'a restore of a site with automatic failover': {
    of: restore,
    without: automatic,
    text: `error: provision restore is not available with automatic failover
   Nothing was changed. Set db: { failover: 'manual' } in the inventory and run provision; then restore, and set 'automatic' again.`,
  },
  'a restore to what is not a point in time': {
    of: restore,
    flags: { to: 'yesterday', confirm: 'notes.example.com' },
    text: `error: --to: "yesterday" is not a point in time
   Write it with its offset from UTC: --to '2026-11-22 12:00:00+00'.`,
  },
  'maintenance of a host that there is not': {
    of: maintenance,
    flags: { host: 'web9' },
    text: `error: --host: the inventory has no host web9
   Its hosts: lb1, lb2, web1, web2, app1, app2, db1, db2.`,
  },
  'maintenance of the primary': {
    of: maintenance,
    flags: { host: 'db1' },
    answering: databases(PRIMARY, REPLICA),
    text: `error: db1 is the primary of the database
   Nothing was changed. Switch over first: provision switchover.`,
  },
  'maintenance of the last host that serves': {
    of: maintenance,
    flags: { host: 'web1' },
    answering: states({ web1: SERVING, web2: { ready: false, maintenance: true } }),
    text: `error: web1 is the last host of web in service
   web1 is in service
   web2 is in maintenance
   Nothing was changed. Bring another host back into service first, or use --outage to accept an interruption.`,
  },
  'maintenance of a host whose neighbours are down': {
    of: maintenance,
    flags: { host: 'lb2' },
    answering: states({ lb1: { ready: false, maintenance: false }, lb2: SERVING }),
    text: `error: lb2 is the last host of lb in service
   lb1 is not ready
   lb2 is in service
   Nothing was changed. Bring another host back into service first, or use --outage to accept an interruption.`,
  },
  'maintenance of the only host of its tier': {
    of: maintenance,
    flags: { host: 'app1' },
    without: (values) => only(values, 'app'),
    answering: states({ app1: SERVING }),
    text: `error: app1 is the last host of app in service
   app1 is in service
   Nothing was changed. Use --outage to accept an interruption.`,
  },
  'maintenance of a witness without a vote': {
    of: maintenance,
    flags: { host: 'witness1' },
    without: withWitness,
    text: `error: witness1 has no vote, because failover is manual
   Nothing was changed. Nothing depends on the witness, so it needs no maintenance mode.`,
  },
  'a witness that leaves for good': {
    of: decommission,
    flags: { host: 'witness1' },
    without: withWitness,
    text: `error: witness1 is a host of witness, and only web and app hosts can be decommissioned
   Replace it in the inventory and run provision: the new witness gets its vote.`,
  },
  'a database host that leaves for good': {
    of: decommission,
    flags: { host: 'db2' },
    text: `error: db2 is a host of db, and only web and app hosts can be decommissioned
   Remove a database host by hand: a replica has data, and a replication slot on the primary.`,
  },
  'a balancer that leaves for good': {
    of: decommission,
    flags: { host: 'lb2' },
    text: `error: lb2 is a host of lb, and only web and app hosts can be decommissioned
   To work on it: provision maintenance --host lb2.`,
  },
  'the only web host that leaves for good': {
    of: decommission,
    flags: { host: 'web1' },
    without: (values) => only(values, 'web'),
    text: `error: web1 is the only host of web, so it cannot be removed
   Nothing was changed. Add another host to the inventory and run provision first.`,
  },
  'a reboot of a site whose witness has no vote': {
    of: reboot,
    without: automatic,
    answering: votes({ db1: true, db2: true, witness1: false }),
    text: `error: witness1 has no vote now, and no other host can be taken out of service
   Nothing was changed. Repair its member of etcd first; provision verify reports the problem.`,
  },
  'an update of databases whose witness has no vote': {
    of: update,
    flags: { tier: 'db', packages: true },
    without: automatic,
    answering: votes({ db1: true, db2: true, witness1: false }),
    text: `error: witness1 has no vote now, and no other host can be taken out of service
   Nothing was changed. Repair its member of etcd first; provision verify reports the problem.`,
  },
  'a rollback of hosts that differ': {
    of: rollback,
    answering: releases({ app1: ['b', 'a'], app2: ['a', 'b'], web1: ['b'], web2: ['b'] }),
    text: `error: The hosts do not run the same release, so it is not clear which one was before
   app1 runs b, and a
   app2 runs a, and b
   web1 runs b, and no other
   web2 runs b, and no other
   Nothing was changed. Use --to with a release, or deploy.`,
  },
  'a rollback where there was nothing before': {
    of: rollback,
    answering: everywhere('b'),
    text: `error: There is no earlier release that all hosts still have
   app1 runs b, and no other
   app2 runs b, and no other
   web1 runs b, and no other
   web2 runs b, and no other
   Nothing was changed. Build the release and deploy it.`,
  },
  'a rollback to a release that is gone': {
    of: rollback,
    flags: { to: 'z' },
    answering: everywhere('b', 'a'),
    text: `error: Not every host has release z
   app1 runs b, and a
   app2 runs b, and a
   web1 runs b, and a
   web2 runs b, and a
   Nothing was changed. Use a release that all hosts have, or build it and deploy.`,
  },
  'rejoining a host that there is not': {
    of: rejoin,
    flags: { host: 'web1' },
    text: `error: --host: there is no database host web1
   There are db1, db2.`,
  },
  'rejoining the only database host': {
    of: rejoin,
    flags: { host: 'db1' },
    without: ({ db }) => ({ db: group('db', db.hosts.slice(0, 1)) }),
    text: `error: db1 is the only database host, so there is no primary to follow
   Nothing was changed. Add another host to the inventory and run provision first.`,
  },
  'rejoining where there is no database yet': {
    of: rejoin,
    flags: { host: 'db1' },
    answering: databases(NOTHING, NOTHING),
    text: `error: There is no database yet, and no other host has seed: true
   db2 has no database
   Nothing was changed on them. The first run of the site creates one on the host with seed: true: provision.`,
  },
  'rejoining to a host that is a replica itself': {
    of: rejoin,
    flags: { host: 'db1' },
    answering: databases(STOPPED, REPLICA),
    text: `error: No primary can be found among the database hosts
   db2 is a replica, timeline 1
   Nothing was changed on them. Start the host that was the primary and run again. To continue without it: provision failover --to db2. It reports possible data loss before it changes anything.`,
  },
  'a restore where there are two primaries': {
    of: restore,
    flags: { confirm: 'notes.example.com' },
    answering: databases(PRIMARY, { ...PRIMARY, timeline: 2 }),
    text: `error: There are two primaries, and it is unknown which one has the valid data
   db1 is a primary, timeline 1
   db2 is a primary, timeline 2
   Nothing was changed on the database hosts. The later timeline is probably the one in use. Stop the other one (on db1: systemctl mask --now postgresql@15-main), save writes that only it has, then: provision rejoin --host db1. It becomes a replica.`,
  },
  'a failover to a host that there is not': {
    of: failover,
    flags: { to: 'db9' },
    answering: standings(PRIMARY, REPLICA),
    text: `error: --to: there is no database host db9
   There are db1, db2.`,
  },
  'a failover while the primary answers': {
    of: failover,
    flags: { to: 'db2' },
    answering: standings(PRIMARY, REPLICA),
    text: `error: A failover is not possible now, and nothing was changed
   db1 is the primary and answers.
   db1 is a primary, timeline 1
   db2 is a replica, timeline 1
   To move the primary without data loss: provision switchover --to db2. To force a failover, stop the primary first.`,
  },
  'a failover without a replica that answers': {
    of: failover,
    answering: standings(STOPPED, undefined),
    text: `error: A failover is not possible now, and nothing was changed
   No database host is a replica that answers.
   db1 has a primary, timeline 1 that does not answer (shut down)
   db2 cannot be reached
   Start one, then run the same command again.`,
  },
  'a switchover to a host that there is not': {
    of: switchover,
    flags: { to: 'db9' },
    answering: standings(PRIMARY, REPLICA),
    text: `error: --to: there is no database host db9
   There are db1, db2.`,
  },
  'a switchover to a replica that does not follow': {
    of: switchover,
    answering: standings(PRIMARY, REPLICA),
    text: `error: A switchover is not possible now, and nothing was changed
   db2 does not stream from db1 (not connected).
   db1 is a primary, timeline 1
   db2 is a replica, timeline 1
   Fix this, then run the same command again.`,
  },
}

/** The full message of each request that the site rejects. */
describe('errors of the operations of the site', () => {
  let inventory: Inventory<(typeof stackOfSite)['entries']>

  before(async () => {
    inventory = await stackInventory()
  })

  for (const [what, { of, flags, answering, without, text }] of Object.entries(CASES))
    it(`show the reason and the next action: ${what}`, async () => {
      const { values } = inventory
      const site: Site = { ...values, ...without?.(values) }
      expect(await refusalOf(() => of.plays(site, flags), answering)).to.equal(text)
    })

  it('are reported once by a gate, and not again for each host of the plays after it', () => {
    const { values } = inventory
    const repeated = Object.entries(CASES).flatMap(([what, { of, flags, answering, without }]) => {
      const site: Site = { ...values, ...without?.(values) }
      const plays = attempted(() => of.plays(site, flags))
      return repetitionsOf(plays, answering).map((label) => `${what}: ${label}`)
    })
    expect(repeated).to.deep.equal([])
  })
})

/** The plays; none if the operation is rejected before them. */
function attempted(plays: () => readonly Play[]): readonly Play[] {
  try {
    return plays()
  } catch (error) {
    if (error instanceof Problem) return []
    throw error
  }
}
