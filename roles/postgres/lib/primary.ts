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
import { type Cluster, type ClusterState, clusterState, describeState, type ForeignCluster } from './cluster-state.ts'
import {
  describeRecord,
  isOutdated,
  type Known,
  NO_RECORD,
  newestRecord,
  outdatedProblem,
  validRecord,
} from './known-record.ts'
import { type PrimaryRecord, primaryRecord } from './record.ts'

type Seeded = Host<{ readonly seed: boolean }>
type Found<H extends Host> = HostAnswer<ClusterState, H>

/**
 * The host that takes writes. The hosts themselves are asked. The seed of the inventory counts only while no host has a database, so a run
 * after a failover does not reverse it. A primary with older data than the newest record is refused.
 *
 * @param recorders hosts with a copy of the record. @default the database hosts
 * @returns a Problem if the primary is unknown; then nothing changes on the database hosts
 */
export function primaryOf<H extends Seeded>(
  db: Pick<Group<H>, 'hosts'>,
  recorders: Pick<Group, 'hosts'> = db,
): Answers<H | Problem> {
  return mapAnswers(databaseStates(db, recorders), ({ states, known }) => findPrimary(states, known))
}

interface DatabaseStates<H extends Host> {
  readonly states: readonly Found<H>[]
  readonly known: Known
}

/** Reads the databases of all hosts and the newest record, in one round trip. */
export function databaseStates<H extends Host>(
  db: Pick<Group<H>, 'hosts'>,
  recorders: Pick<Group, 'hosts'> = db,
): Answers<DatabaseStates<H>> {
  return mapAnswers(allAnswers(askEach(db, clusterState), askEach(recorders, primaryRecord)), ([states, copies]) => ({
    states,
    known: newestRecord(copies),
  }))
}

/** Returns the replicas that answer. The primary should have a connection to each. */
export function runningReplicas<H extends Host>(all: readonly Found<H>[]): readonly H[] {
  return clusters(all).flatMap(({ host, cluster }) => (cluster.standby && cluster.running ? [host] : []))
}

/** Returns the primary, or the reason why it is unknown. */
export function findPrimary<H extends Seeded>(all: readonly Found<H>[], known: Known = NO_RECORD): H | Problem {
  for (const { host, answer } of all) if (answer?.kind === 'foreign') return foreignCluster(host.name, answer)
  const record = validRecord(known.record, all)
  const primaries = clusters(all).filter(({ cluster }) => !cluster.standby)
  const running = primaries.filter(({ cluster }) => cluster.running)
  if (running.length > 1) return twoPrimaries(all)
  const [only] = running
  if (only && record && isOutdated(record, only.host.name, only.cluster))
    return outdatedProblem(only.host.name, only.cluster, record, describeAll(all))
  if (only) return only.host
  // A host that does not answer may be the primary.
  if (all.some(({ answer }) => !answer)) return noPrimary(all, record)
  const [stopped, another] = primaries.filter(({ host, cluster }) => !isOutdated(record, host.name, cluster))
  if (stopped && another) return twoPrimaries(all)
  if (stopped && clusters(all).every(({ cluster }) => cluster.timeline <= stopped.cluster.timeline)) return stopped.host
  if (all.some(({ answer }) => answer?.kind !== 'nothing')) return noPrimary(all, record)
  return all.find(({ host }) => host.seed)?.host ?? noSeed(all)
}

function clusters<H extends Host>(
  all: readonly Found<H>[],
): readonly { readonly host: H; readonly cluster: Cluster }[] {
  return all.flatMap(({ host, answer }) => (answer?.kind === 'cluster' ? [{ host, cluster: answer }] : []))
}

/** Refuses to create an empty cluster, which would take over name, port and configuration. */
export function foreignCluster(host: string, { name, data }: ForeignCluster): Problem {
  const [version, cluster] = name.split('/')
  const target = `/var/lib/postgresql/${version}/main`
  return new Problem(`${host} has a cluster ${name} with its data in ${data}; this role uses ${target}`, {
    details: ['Nothing was changed on the database hosts.'],
    next: `To keep its data: stop it (systemctl stop postgresql@${version}-${cluster}), move ${data} to ${target}, set data_directory, and run again. If they are not needed: pg_dropcluster --stop ${version} ${cluster}`,
  })
}

function twoPrimaries(all: readonly Found<Host>[]): Problem {
  const [older] = byTimeline(clusters(all).filter(({ cluster }) => !cluster.standby))
  const unit = unitOf(older)
  return new Problem('There are two primaries, and it is unknown which one has the valid data', {
    details: describeAll(all),
    next: `Nothing was changed on the database hosts. The later timeline is probably the one in use. Stop the other one (on ${older?.host.name ?? 'it'}: systemctl mask --now ${unit}), save writes that only it has, then: provision rejoin --host ${older?.host.name ?? 'HOST'}. It becomes a replica.`,
  })
}

function noPrimary(all: readonly Found<Host>[], record: PrimaryRecord | undefined): Problem {
  const candidate = byTimeline(clusters(all).filter(({ cluster }) => cluster.standby && cluster.running)).at(-1)
  const failOver = candidate
    ? ` To continue without it: provision failover --to ${candidate.host.name}. It reports possible data loss before it changes anything.`
    : ''
  return new Problem('No primary can be found among the database hosts', {
    details: [...describeAll(all), ...(record ? [`According to the record, ${describeRecord(record)}.`] : [])],
    next: `Nothing was changed on them. Start ${record?.primary ?? 'the host that was the primary'} and run again.${failOver}`,
  })
}

/** A host that rejoins is not asked, and may be the one with the seed. */
function noSeed(all: readonly Found<Host>[]): Problem {
  return new Problem('There is no database yet, and no other host has seed: true', {
    details: describeAll(all),
    next: 'Nothing was changed on them. The first run of the site creates one on the host with seed: true: provision.',
  })
}

function byTimeline<F extends { readonly cluster: Cluster }>(found: readonly F[]): readonly F[] {
  return [...found].sort((a, b) => a.cluster.timeline - b.cluster.timeline)
}

/** Returns the full name of the unit: `mask` takes no pattern. */
function unitOf(found: { readonly cluster: Cluster } | undefined): string {
  return `postgresql@${found?.cluster.version ?? 15}-main`
}

function describeAll(all: readonly Found<Host>[]): readonly string[] {
  return all.map(({ host, answer }) => `${host.name} ${describeState(answer)}`)
}
