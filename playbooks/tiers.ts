import {
  type Answers,
  after,
  allAnswers,
  ask,
  askEach,
  askHost,
  type Build,
  delegateTo,
  type FirewallRule,
  firewall,
  type Host,
  type Play,
  play,
  type Question,
  read,
  runOnce,
  type Steps,
  sh,
} from 'provision-ts'
import { app, ready } from '../roles/app/index.ts'
import {
  archive,
  BACKUP_PORT,
  backupRepository,
  backupSource,
  type Holdings,
  holdings,
  unclaimed,
} from '../roles/backup/index.ts'
import { base } from '../roles/base/index.ts'
import { drainFrom } from '../roles/haproxy/drain.ts'
import { ADMIN_PORT, alive, haproxy } from '../roles/haproxy/index.ts'
import { releaseVip } from '../roles/keepalived/address.ts'
import { keepalived } from '../roles/keepalived/index.ts'
import { nginx, readiness } from '../roles/nginx/index.ts'
import { replicasIn } from '../roles/postgres/cluster.ts'
import {
  migrationsIn,
  postgresMigrated,
  type SchemaVersion,
  schemaVersion,
} from '../roles/postgres/kinds/migrated.ts'
import { limits, raises } from '../roles/postgres/limits.ts'
import { postgresPackages } from '../roles/postgres/node.ts'
import type { Manager } from '../roles/postgres/params.ts'
import { place } from '../roles/postgres/place.ts'
import { postgresPrimary, postgresReplication, primaryOf } from '../roles/postgres-primary/index.ts'
import { postgresReplica } from '../roles/postgres-replica/index.ts'
import { UPSTREAM_PORT, upstream } from '../roles/upstream/index.ts'
import {
  clusterSettings,
  etcdPlays,
  failoverPackages,
  failoverRules,
  managersOf,
  patroniPlays,
} from './automatic-failover.ts'
import { maintenance } from './maintenance-mark.ts'
import { type Part, wantedBy } from './releases.ts'
import { METRICS_PORT } from './stack.ts'
import { type DatabaseHost, database, NOTES, type Site, sshFor } from './values.ts'

export type { DatabaseHost, Site } from './values.ts'

/** What an operation does otherwise than the site, within the same plays:
  drainFrom, one after another, proved well. */
export interface TierOptions {
  /** @default the tier's name */
  readonly label?: string
  /** How many hosts at a time. @default one, then halves */
  readonly serial?: 1
  /** Of the application. @default the build of this machine, if no person has taken it out of force */
  readonly release?: (host: Host, part: Part) => Answers<Build>
  /** What a host's turn consists of. @param own what the site does @default just that */
  readonly turn?: (host: Host, own: Steps) => Steps
  /** Whether the last host in service may be changed too, and none is taken out of service before. @default false */
  readonly outage?: boolean
}

const justThat = (_host: Host, own: Steps): Steps => own

/** Whether a host serves nobody, since what would serve does not run. */
function without(unit: string): Question<boolean> {
  return ask(
    `is ${unit} at rest?`,
    read(sh`systemctl is-active -q ${unit}`, ({ code }) => code !== 0),
  )
}

/** The databases: first what all of them have, then who takes writes, then who follows. */
export function databaseTier(values: Site): readonly Play[] {
  return [...databaseGround(values), ...nothingToBringBack(values), ...databaseRoles(values)]
}

/** What every database host has, whether there is a database on it or not. */
export function databaseGround(values: Site): readonly Play[] {
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
  const places = askEach(db, place)
  const held = askEach(backup, holdings)
  // Asked together: one after the other they would take a round trip each.
  const found: Answers<{ readonly empty: boolean; readonly held: Holdings | undefined }> = {
    asks: [...places.asks, ...held.asks],
    value: (answerTo) => ({
      empty: places.value(answerTo).every(({ answer }) => answer?.kind === 'nothing'),
      held: held.value(answerTo)[0]?.answer,
    }),
  }
  if (backup.hosts.length === 0) return []
  return [
    play('database: nothing to bring back', { hosts: db }, ({ name }) =>
      after(found, (all) => unclaimed({ host: name, domain, ...all })),
    ),
  ]
}

export interface DatabaseOptions {
  /** The host that is to be a replica although it was a primary, and what becomes of its data. */
  readonly reattach?: { readonly host: DatabaseHost; readonly former: 'rewind' | 'copy' }
  /** The host whose maintenance ends: writes wait for it again. */
  readonly back?: Host
}

export function databaseRoles(values: Site, { reattach, back }: DatabaseOptions = {}): readonly Play[] {
  const { db, synchronous = db.hosts.length > 1 } = values
  // A host that is to be a replica is not asked whether it is the primary: it may still believe so.
  const candidates = reattach ? { hosts: db.without(reattach.host) } : db
  const primary = primaryOf(candidates)
  const managers = managersOf(values)
  const known = allAnswers(primary, managers)
  const primaryRole = (host: DatabaseHost, manager: Manager) =>
    postgresPrimary({ ...database(host, values), manager, replicas: db.without(host) })
  const replica = (host: DatabaseHost, of: DatabaseHost, manager: Manager) =>
    postgresReplica({
      ...database(host, values),
      ...{ manager, primary: of },
      former: host === reattach?.host ? reattach.former : undefined,
    })
  return [
    ...clusterSettings(values),
    play('database: raised limits', { hosts: db }, (host) =>
      after(allAnswers(known, askEach(db, limits)), ([[of, manager], found]) => {
        const has = found.find((one) => one.host === of)?.answer
        return (
          host !== of &&
          host !== reattach?.host &&
          manager(host) === 'systemd' &&
          raises(database(host, values), has) &&
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
            followers: replicasIn(found).filter(counts),
            // Patroni itself says whom a write waits for.
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
  ]
}

/** What the database hosts have, and which of them people have for themselves: nobody waits for those. */
function databasesOf(db: Pick<Site['db'], 'hosts'>) {
  const places = askEach(db, place)
  const marks = askEach(db, maintenance)
  return {
    asks: [...places.asks, ...marks.asks],
    value: (answerTo: Parameters<typeof places.value>[0]) => ({
      found: places.value(answerTo),
      away: marks.value(answerTo).flatMap(({ host, answer }) => (answer === undefined ? [] : [host.name])),
    }),
  }
}

/** The backups of the databases, where there is a host for them. */
export function backupTier({ backup, db, authority, admins, updates }: Site): readonly Play[] {
  if (backup.hosts.length === 0) return []
  return [
    play('backup: repository', { hosts: backup }, (host) => [
      base({ updates }),
      firewall([{ port: BACKUP_PORT, from: db.hosts }], sshFor(admins)),
      after(primaryOf(db), (primary) =>
        after(askHost(primary, place), (found) =>
          backupRepository({ ...host, authority, found, version: primary.version, sources: db.hosts }),
        ),
      ),
    ]),
    play('backup: archive', { hosts: db }, (host) =>
      after(primaryOf(db), (primary) => host === primary && archive({ host: host.name })),
    ),
  ]
}

/** The application's servers. A host that stops serving answers what it has begun; the web servers ask another meanwhile. */
export function appTier(
  values: Site,
  { label = 'app', serial, release = wantedBy, turn = justThat, outage = false }: TierOptions = {},
): readonly Play[] {
  const { app: apps, web, db, passwords, authority, admins, updates } = values
  const drain = outage ? {} : { drain: drainFrom(web, 'app', { onUnreachable: 'ignore' }) }
  return [
    play(
      label,
      { hosts: apps, serial: serial ?? [1, '50%'], isIdle: without('notes'), readiness: ready, ...drain },
      (host) =>
        turn(host, [
          base({ updates }),
          firewall(
            [{ port: host.port, from: web.hosts }, ...watchedAt(METRICS_PORT, admins)],
            sshFor(admins),
          ),
          after(withSchema(release(host, 'app'), values), ({ chosen, versions }) => [
            schema(values, chosen, versions),
            app({
              release: chosen,
              listen: host,
              metrics: admins === undefined ? undefined : { address: host.address, port: METRICS_PORT },
              databases: db.hosts,
              database: { name: NOTES.name, user: NOTES.user, password: passwords.app, authority },
            }),
          ]),
        ]),
    ),
  ]
}

/** The web servers, each out of the balancers' service while it is changed. */
export function webTier(
  { domain, lb, web, app: apps, admins, updates }: Site,
  { label = 'web', serial, release = wantedBy, turn = justThat, outage = false }: TierOptions = {},
): readonly Play[] {
  const drain = outage ? {} : { drain: drainFrom(lb, 'web') }
  return [
    play(
      label,
      { hosts: web, serial: serial ?? [1, '50%'], isIdle: without('nginx'), readiness, ...drain },
      (host) =>
        turn(host, [
          base({ updates }),
          firewall([{ port: host.port, from: lb.hosts }], sshFor(admins)),
          upstream({ name: 'app', servers: apps.hosts, path: '/livez' }),
          after(release(host, 'public'), (chosen) =>
            nginx({
              domain,
              listen: host,
              workers: host.workers,
              rate: host.rate,
              upstreams: apps.hosts,
              through: UPSTREAM_PORT,
              balancers: lb.hosts,
              site: chosen,
            }),
          ),
        ]),
    ),
  ]
}

/** What an operation does otherwise with the balancers. */
export interface BalancerOptions extends Pick<TierOptions, 'label' | 'turn'> {
  /** Whether a peer has the address while a host is changed: for what is more than a reload. @default false */
  readonly moving?: boolean
}

/** The balancers, one after another; the one that has the address as a rule comes last. */
export function balancerTier(
  { domain, certificate, vip, lb, web, admins, updates }: Site,
  { label = 'balancers', turn = justThat, moving = false }: BalancerOptions = {},
): readonly Play[] {
  const hosts = [...lb.hosts].sort((a, b) => a.priority - b.priority)
  const drain = moving ? { drain: releaseVip(vip) } : {}
  return [
    play(
      label,
      { hosts: { hosts }, serial: 1, isIdle: without('haproxy'), readiness: alive, ...drain },
      (host) =>
        turn(host, [
          base({ updates }),
          firewall(
            [
              { port: [80, 443], from: 'anywhere' },
              { protocol: 'vrrp', from: lb.without(host) },
              ...watchedAt(ADMIN_PORT, admins),
            ],
            sshFor(admins),
          ),
          haproxy({
            domain,
            certificate,
            servers: web.hosts,
            vip,
            everywhere: host.everywhere,
            admin: admins === undefined ? undefined : { address: host.address, from: admins },
          }),
          keepalived({ ...host, vip, peers: lb.without(host) }),
        ]),
    ),
  ]
}

/** A port of numbers that operators alone may read. */
function watchedAt(port: number, admins: Site['admins']): readonly FirewallRule[] {
  return admins === undefined ? [] : [{ port, from: admins.map((address) => ({ address })) }]
}

/**
 * The schema that a build of this machine needs, before any host runs that. Where the build is one that hosts have already, the schema
 * has it too: versions only go up, and each fits the release before.
 */
function schema({ db }: Site, { directory }: Build, versions: readonly (SchemaVersion | undefined)[]): Steps {
  if (directory === undefined) return []
  const migrations = migrationsIn(`${directory}/migrations`)
  const known = versions.filter((one) => one !== undefined)
  if (known.length > 0 && known.every(({ version }) => version >= migrations.length)) return []
  const { name, owner } = NOTES
  return runOnce(
    after(primaryOf(db), (primary) =>
      delegateTo(primary, postgresMigrated({ database: name, schema: name, owner, migrations })),
    ),
  )
}

const SCHEMA = schemaVersion(NOTES.name, NOTES.name)

/** With the versions that the databases say their schema is at. Asked together: one after the other they would take a round trip each. */
function withSchema(release: Answers<Build>, { db }: Site) {
  const found = askEach(db, SCHEMA)
  return {
    asks: [...release.asks, ...found.asks],
    value: (answerTo: Parameters<typeof release.value>[0]) => ({
      chosen: release.value(answerTo),
      versions: found.value(answerTo).map(({ answer }) => answer),
    }),
  } satisfies Answers<unknown>
}
