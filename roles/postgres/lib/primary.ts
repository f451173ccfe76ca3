import {
  type Answers,
  allAnswers,
  askEach,
  type Group,
  type Host,
  type HostAnswer,
  mapAnswers,
  Problem,
} from 'provision-ts'
import {
  type Cluster,
  type ClusterState,
  clusterState,
  describeState,
  type ForeignCluster,
} from './cluster-state.ts'
import {
  isOutdated,
  type Known,
  knownOf,
  NO_RECORD,
  outdated,
  recordInForce,
  recordWords,
} from './known-record.ts'
import { type PrimaryRecord, primaryRecord } from './record.ts'

type Seeded = Host<{ readonly seed: boolean }>
type Found<H extends Host> = HostAnswer<ClusterState, H>

/**
 * The host that takes writes. The hosts themselves are asked: the seed of the inventory counts only while no host has a database
 * at all, so a run after a failover does not turn the roles back. A primary whose data are older than the newest record is refused.
 *
 * @param recorders hosts that have a copy of the record. @default the database hosts
 * @throws Problem when that cannot be said for sure; then nothing is changed on the database hosts
 */
export function primaryOf<H extends Seeded>(
  db: Pick<Group<H>, 'hosts'>,
  recorders: Pick<Group, 'hosts'> = db,
): Answers<H> {
  return mapAnswers(surveyed(db, recorders), ({ places, known }) => choosePrimary(places, known))
}

export interface Surveyed<H extends Host> {
  readonly places: readonly Found<H>[]
  readonly known: Known
}

/** The places of all database hosts, and the newest record. Both are asked at once. */
export function surveyed<H extends Host>(
  db: Pick<Group<H>, 'hosts'>,
  recorders: Pick<Group, 'hosts'> = db,
): Answers<Surveyed<H>> {
  return mapAnswers(
    allAnswers(askEach(db, clusterState), askEach(recorders, primaryRecord)),
    ([places, copies]) => ({
      places,
      known: knownOf(copies),
    }),
  )
}

/** Hosts that can be reached and are replicas of others: those that a primary should see. */
export function runningReplicas<H extends Host>(all: readonly Found<H>[]): readonly H[] {
  return clusters(all).flatMap(({ host, cluster }) => (cluster.standby && cluster.running ? [host] : []))
}

/** @throws Problem when that cannot be said for sure */
export function choosePrimary<H extends Seeded>(all: readonly Found<H>[], known: Known = NO_RECORD): H {
  const chosen = primaryAmong(all, known)
  if (chosen instanceof Problem) throw chosen
  return chosen
}

/** The primary, or the reason why it cannot be said. */
export function primaryAmong<H extends Seeded>(
  all: readonly Found<H>[],
  known: Known = NO_RECORD,
): H | Problem {
  for (const { host, answer } of all) if (answer?.kind === 'foreign') return foreignCluster(host.name, answer)
  const record = recordInForce(known.record, all)
  const primaries = clusters(all).filter(({ cluster }) => !cluster.standby)
  const running = primaries.filter(({ cluster }) => cluster.running)
  if (running.length > 1) return twoPrimaries(all)
  const [only] = running
  if (only && record && isOutdated(record, only.host.name, only.cluster))
    return outdated(only.host.name, only.cluster, record, told(all))
  if (only) return only.host
  // Whoever does not answer may be the primary, or become one when its link is back.
  if (all.some(({ answer }) => !answer)) return noPrimary(all, record)
  const [stopped, another] = primaries.filter(({ host, cluster }) => !isOutdated(record, host.name, cluster))
  if (stopped && another) return twoPrimaries(all)
  if (stopped && clusters(all).every(({ cluster }) => cluster.timeline <= stopped.cluster.timeline))
    return stopped.host
  if (all.some(({ answer }) => answer?.kind !== 'nothing')) return noPrimary(all, record)
  return all.find(({ host }) => host.seed)?.host ?? noSeed(all)
}

function clusters<H extends Host>(
  all: readonly Found<H>[],
): readonly { readonly host: H; readonly cluster: Cluster }[] {
  return all.flatMap(({ host, answer }) => (answer?.kind === 'cluster' ? [{ host, cluster: answer }] : []))
}

/** Setting up an empty cluster beside it would take its name, its port and its configuration. */
export function foreignCluster(host: string, { name, data }: ForeignCluster): Problem {
  const [version, cluster] = name.split('/')
  const target = `/var/lib/postgresql/${version}/main`
  return new Problem(
    `${host} has a cluster ${name} with its data in ${data}; this role keeps them in ${target}`,
    {
      details: ['Nothing was changed on the database hosts.'],
      next: `To keep its data: stop it (systemctl stop postgresql@${version}-${cluster}), move ${data} to ${target}, set data_directory, and run again. If they are not needed: pg_dropcluster --stop ${version} ${cluster}`,
    },
  )
}

function twoPrimaries(all: readonly Found<Host>[]): Problem {
  const [older] = byTimeline(clusters(all).filter(({ cluster }) => !cluster.standby))
  const unit = unitOf(older)
  return new Problem('There are two primaries, and only people can say which one holds the truth', {
    details: told(all),
    next: `Nothing was changed on the database hosts. The later timeline is most likely the one in use. Stop the other one first (on ${older?.host.name ?? 'it'}: systemctl mask --now ${unit}), look for writes that only it has, then: provision rejoin --host ${older?.host.name ?? 'HOST'}. It becomes a replica.`,
  })
}

function noPrimary(all: readonly Found<Host>[], record: PrimaryRecord | undefined): Problem {
  const heir = byTimeline(clusters(all).filter(({ cluster }) => cluster.standby && cluster.running)).at(-1)
  const failOver = heir
    ? ` To go on without it: provision failover --to ${heir.host.name}. That says what could be lost before it does anything.`
    : ''
  return new Problem('No primary can be found among the database hosts', {
    details: [...told(all), ...(record ? [`By the record, ${recordWords(record)}.`] : [])],
    next: `Nothing was changed on them. Bring back ${record?.primary ?? 'the host that was the primary'} and run again.${failOver}`,
  })
}

/** The host that is to become a replica is not asked: it may be the one with the seed. */
function noSeed(all: readonly Found<Host>[]): Problem {
  return new Problem('There is no database yet, and no host that was asked has seed: true', {
    details: told(all),
    next: 'Nothing was changed on them. The first run of the site begins one on the host with seed: true: provision.',
  })
}

function byTimeline<F extends { readonly cluster: Cluster }>(found: readonly F[]): readonly F[] {
  return [...found].sort((a, b) => a.cluster.timeline - b.cluster.timeline)
}

/** The unit as it is: `mask` takes no pattern. */
function unitOf(found: { readonly cluster: Cluster } | undefined): string {
  return `postgresql@${found?.cluster.version ?? 15}-main`
}

function told(all: readonly Found<Host>[]): readonly string[] {
  return all.map(({ host, answer }) => `${host.name} ${describeState(answer)}`)
}
