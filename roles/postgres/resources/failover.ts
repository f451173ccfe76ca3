import { type Command, type Host, type HostAnswer, Problem, resource, type Shell, sh } from 'provision-ts'
import { type ClusterState, clusterState, describeState, isPrimary } from '../lib/cluster-state.ts'
import {
  describeRecord,
  formatTime,
  isOutdated,
  type Known,
  NO_RECORD,
  uncertainty,
  validRecord,
} from '../lib/known-record.ts'
import { assertPromoted, promote } from '../lib/promotion.ts'
import type { PrimaryRecord } from '../lib/record.ts'
import { type ReplicationState, runningCluster } from '../lib/replication-state.ts'
import { type Paths, pathsFor } from '../params.ts'
import { type RecordPlan, recordCommands } from './record.ts'
import { synchronousConf } from './synchronous-replication.ts'

export interface Failover<H extends Host = Host> {
  readonly to: H
  readonly version: number
  readonly system: string
  /** The new timeline, later than all timelines in the record. */
  readonly timeline: number
  /** True for an old primary that lacks later writes. It becomes a standby first. */
  readonly revived: boolean
  /** Hosts that may have been the primary and answer. They are fenced first. */
  readonly fenced: readonly H[]
  /** Hosts that do not answer and cannot be fenced. */
  readonly silent: readonly H[]
  /** Replicas that answer. They follow the new primary after the next run of the site; no commit waits for them until then. */
  readonly waiting: readonly H[]
  /** Possible data loss, for messages. */
  readonly loss: string
}

export interface FailoverOptions {
  readonly to?: string
  readonly acceptDataLoss: boolean
}

/**
 * Plans a failover without the old primary; undefined if the requested host is already the primary.
 *
 * @param known the newest record. A primary with older data does not count as running
 * @returns a Problem if a failover is not possible
 */
export function planFailover<H extends Host>(
  all: readonly HostAnswer<ReplicationState, H>[],
  { to: wanted, acceptDataLoss }: FailoverOptions,
  known: Known = NO_RECORD,
): Failover<H> | Problem | undefined {
  if (wanted !== undefined && !all.some(({ host }) => host.name === wanted))
    return new Problem(`--to: there is no database host ${wanted}`, {
      next: `There are ${all.map(({ host }) => host.name).join(', ')}.`,
    })
  const record = validRecord(known.record, statesOf(all))
  const isOld = ({ host, answer }: HostAnswer<ReplicationState>) =>
    answer?.cluster.kind === 'cluster' && isOutdated(record, host.name, answer.cluster)
  const running = all.filter((one) => isPrimary(one.answer?.cluster) && !isOld(one))
  if (running.length > 1) return refused(all, 'There are two primaries.', 'Run provision, which reports what to do.')
  const [current] = running
  if (current && current.host.name === (wanted ?? current.host.name) && wanted !== undefined) return undefined
  if (current)
    return refused(
      all,
      `${current.host.name} is the primary and answers.`,
      `To move the primary without data loss: provision switchover${wanted === undefined ? '' : ` --to ${wanted}`}. To force a failover, stop the primary first.`,
    )
  const oldPrimaries = all.filter(({ answer }) => answer?.cluster.kind === 'cluster' && !answer.cluster.standby)
  const candidates = all
    .filter(({ host, answer }) => runningCluster(answer)?.cluster.standby && (wanted ?? host.name) === host.name)
    .sort((a, b) => compareReceived(b.answer, a.answer))
  const old = oldPrimaries.find((one) => isOld(one) && (wanted ?? one.host.name) === one.host.name)
  const candidate = candidates[0] ?? (wanted === undefined ? undefined : old)
  if (!candidate && old && record) return onlyOld(all, old.host.name, record)
  if (!candidate)
    return refused(
      all,
      `${wanted ?? 'No database host'} is ${wanted === undefined ? '' : 'not '}a replica that answers.`,
      `Start ${record?.primary ?? 'one'}, then run the same command again.`,
    )
  const silent = all.filter(({ answer }) => !answer).map(({ host }) => host)
  // One replica with a connection is enough: the primary continues to acknowledge commits.
  const seeing = silent.length > 0 ? all.find(({ answer }) => answer?.seesPrimary) : undefined
  if (seeing)
    return refused(
      all,
      `${seeing.host.name} has a connection to its primary, which is running and only cannot be reached from here.`,
      'Fix the connection to it, then: provision switchover.',
    )
  const ahead = all.find(
    ({ answer }) => runningCluster(answer)?.cluster.standby && compareReceived(answer, candidate.answer) > 0,
  )
  const { text: loss, certain } = estimateLoss(candidate, { oldPrimaries, silent, ahead, known, record })
  if (!certain && !acceptDataLoss)
    return refused(
      all,
      loss,
      `Start ${record && record.primary !== candidate.host.name ? record.primary : 'the old primary'} if possible: it has all data. To continue without it, add --accept-data-loss.`,
    )
  const cluster = candidate.answer?.cluster.kind === 'cluster' ? candidate.answer.cluster : undefined
  const waiting = all.filter(({ host, answer }) => host !== candidate.host && runningCluster(answer)?.cluster.standby)
  const recorded = record && record.system === cluster?.system ? record.timeline : 0
  return {
    ...{ to: candidate.host, version: cluster?.version ?? 0, system: cluster?.system ?? '', silent, loss },
    timeline: Math.max(cluster?.timeline ?? 0, recorded) + 1,
    revived: candidate === old,
    fenced: oldPrimaries.filter((one) => one !== candidate).map(({ host }) => host),
    waiting: waiting.map(({ host }) => host),
  }
}

function statesOf(all: readonly HostAnswer<ReplicationState>[]): readonly HostAnswer<ClusterState>[] {
  return all.map(({ host, answer }) => ({ host, answer: answer?.cluster }))
}

function onlyOld(all: readonly HostAnswer<ReplicationState>[], old: string, record: PrimaryRecord): Problem {
  return refused(
    all,
    `${describeRecord(record)}. ${old} lacks all later writes.`,
    `Start ${record.primary}: it has all data. Only if it is lost permanently: provision failover --to ${old} --accept-data-loss`,
  )
}

interface LossFacts {
  readonly oldPrimaries: readonly HostAnswer<ReplicationState>[]
  readonly silent: readonly Host[]
  /** A replica with more data than the requested one. */
  readonly ahead: HostAnswer<ReplicationState> | undefined
  readonly known: Known
  readonly record: PrimaryRecord | undefined
}

/** Estimates the data that only the old primary has. */
function estimateLoss(
  candidate: HostAnswer<ReplicationState>,
  { oldPrimaries, silent, ahead: richer, known, record }: LossFacts,
): { readonly text: string; readonly certain: boolean } {
  const server = runningCluster(candidate.answer)?.server
  const name = candidate.host.name
  const cluster = candidate.answer?.cluster.kind === 'cluster' ? candidate.answer.cluster : undefined
  if (record && cluster?.system === record.system && cluster.timeline < record.timeline)
    return {
      text: `Acknowledged writes will be lost: ${describeRecord(record)}, and ${name} is on timeline ${cluster.timeline}. It lacks all later writes.`,
      certain: false,
    }
  const ahead = oldPrimaries.filter(
    ({ answer }) => compareLsn(answer?.lastRecord ?? undefined, server?.replayed ?? undefined) >= 0,
  )
  if (
    silent.length === 0 &&
    oldPrimaries.length > 0 &&
    (!record || oldPrimaries.some(({ host }) => host.name === record.primary)) &&
    oldPrimaries.every(({ answer }) => answer?.lastRecord) &&
    ahead.length === 0
  )
    return {
      text: `nothing: ${name} has the last record that ${named(oldPrimaries.map(({ host }) => host))} wrote`,
      certain: true,
    }
  // A commit waits for any one replica, which may be one that does not answer or has more data.
  const hasSilent = silent.length + oldPrimaries.length > 1
  const isUnconfirmed = record !== undefined && !record.waitsFor.includes(name)
  const uncertain = uncertainty(known)
  if (server?.synchronous && server.received !== null && !hasSilent && !richer && !isUnconfirmed && !uncertain)
    return {
      text: `no acknowledged write: commits waited for ${name} (last one at ${server.lastCommit ?? 'an unknown time'})${record ? '' : ', according to its own WAL. This is not true if "provision disable-sync-replication" ran since'}.`,
      certain: true,
    }
  const since = `all commits after ${server?.lastCommit ?? 'the last received one'}, the end of ${name}`
  const why =
    server?.received === null
      ? `${name} has received nothing since it started`
      : richer
        ? `${richer.host.name} has received more`
        : hasSilent && server?.synchronous
          ? `another replica may have more, and does not answer (${named([...silent, ...oldPrimaries.map(({ host }) => host)])})`
          : isUnconfirmed && server?.synchronous
            ? `commits on ${record.primary} have not waited for it since ${formatTime(record.noReplicaSince ?? record.at)}`
            : server?.synchronous && uncertain
              ? `it is unknown if commits still waited for it: ${uncertain.replace(/\.$/, '')}`
              : 'commits did not wait for it'
  return { text: `Acknowledged writes may be lost: ${since}; ${why}.`, certain: false }
}

function refused(all: readonly HostAnswer<ReplicationState>[], why: string, next: string): Problem {
  return new Problem('A failover is not possible now, and nothing was changed', {
    details: [why, ...all.map(({ host, answer }) => `${host.name} ${describeState(answer?.cluster)}`)],
    next,
  })
}

function named(hosts: readonly Host[]): string {
  return hosts.map(({ name }) => name).join(', ')
}

function compareReceived(a: ReplicationState | undefined, b: ReplicationState | undefined): number {
  const [one, other] = [runningCluster(a), runningCluster(b)]
  const timelines = (one?.cluster.timeline ?? 0) - (other?.cluster.timeline ?? 0)
  return timelines || compareLsn(one?.server.received ?? undefined, other?.server.received ?? undefined)
}

/** Compares positions in the WAL, such as `16/B374D848`. Undefined comes first. */
export function compareLsn(a: string | undefined, b: string | undefined): number {
  const [x, y] = [a, b].map((lsn) => {
    const [high = '0', low = '0'] = (lsn ?? '0/0').split('/')
    return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`)
  })
  return x === y ? 0 : (x ?? 0n) < (y ?? 0n) ? -1 : 1
}

interface FailoverParams extends Failover {
  /** All database hosts but the new primary. */
  readonly others: readonly Host[]
  readonly record: RecordPlan
}

/**
 * First every host that may have been the primary and answers is fenced until it rejoins. The record is written before the promotion: a run
 * that is killed between the two leaves a record of a promotion that did not happen, and never a promotion without a record.
 */
export const failover = resource<FailoverParams, ClusterState>('database failover', {
  id: ({ to }) => `to ${to.name}`,
  read: () => clusterState.read,
  diff: ({ to, loss, fenced, silent, waiting, timeline, record }, have) =>
    isPrimary(have) && have?.kind === 'cluster' && have.timeline >= timeline
      ? undefined
      : {
          action: 'change',
          fields: [
            { name: 'primary', to: to.name },
            { name: 'timeline', to: String(timeline) },
            { name: 'fenced', to: named(fenced) || 'no host' },
            ...(silent.length > 0 ? [{ name: 'not fenced, no answer', to: named(silent) }] : []),
            { name: 'data loss', to: loss },
            { name: 'recorded on', to: named(record.on) || 'no host' },
            ...(waiting.length > 0
              ? [{ name: 'will follow after the next run of provision', to: named(waiting) }]
              : []),
          ],
        },
  apply: ({ to, version, fenced, others, timeline, revived, record }): readonly Command[] => {
    const paths = pathsFor(version)
    const before = revived ? convertToStandby(paths) : sh``
    return [
      ...recordCommands(record),
      ...fenced.map((host) => ({ script: stopAndMask(paths), on: host, timeout: '1m' }) as const),
      { script: promote({ paths, others, timeline, before }), on: to, timeout: '5m' },
      { script: assertPromoted, on: to },
    ]
  },
})

/** Makes an old primary a standby, for a promotion to a later timeline. Its commits will wait for no replica. */
function convertToStandby(paths: Paths): Shell {
  const { unit, data } = paths
  return sh`
systemctl stop ${unit}
as_postgres touch ${`${data}/standby.signal`} && sync ${data} && rm -f ${`${data}/promote`} ${synchronousConf(paths)} || refuse 'The old primary could not become a standby.'
systemctl unmask -q ${unit}; systemctl reset-failed ${unit} 2>/dev/null
systemctl start ${unit} || refuse 'The old primary does not start as a standby. See the log of the server.'
n=0
until [ "$(ask 'select pg_is_in_recovery()')" = t ]; do
  n=$((n + 1)); [ $n -lt 600 ] || refuse 'The old primary does not answer as a standby.'
  sleep 0.1
done`
}

/** Stops the server. A masked unit does not start after a boot or a crash. */
function stopAndMask({ unit, data }: Paths): Shell {
  return sh`systemctl mask -q ${unit} || exit 1
systemctl stop ${unit}
n=0
while pid=$(head -n 1 ${`${data}/postmaster.pid`} 2>/dev/null) && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = postgres ]; do
  n=$((n + 1)); [ $n -lt 30 ] || { echo 'The old server does not stop.' >&2; exit 1; }
  kill -QUIT "$pid"; sleep 0.1
done
exit 0`
}
