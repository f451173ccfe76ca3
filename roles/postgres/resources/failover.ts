import { type Command, type Host, type HostAnswer, Problem, resource, type Shell, sh } from 'provision-ts'
import { type ClusterState, clusterState, describeState, isPrimary } from '../lib/cluster-state.ts'
import {
  isOutdated,
  type Known,
  NO_RECORD,
  recordInForce,
  recordWords,
  timeWords,
  unsureWords,
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
  /** The timeline that begins: later than each one that the record knows. */
  readonly timeline: number
  /** True for a host that was a primary itself and lacks later writes. It is made a standby first. */
  readonly revived: boolean
  /** Hosts that may have been the primary and answer: they are kept from starting one first. */
  readonly fenced: readonly H[]
  /** Hosts that do not answer, and so cannot be kept from anything. */
  readonly silent: readonly H[]
  /** Replicas that answer: they follow the new primary from the next run of the site on, and no write waits for them until then. */
  readonly waiting: readonly H[]
  /** What could be lost, for people. */
  readonly loss: string
}

export interface FailoverOptions {
  readonly to?: string
  readonly acceptDataLoss: boolean
}

/**
 * Who takes over without the old primary's help; undefined when the host that was asked for is the primary already.
 *
 * @param known the newest record. A primary whose data are older than that does not count as alive
 * @throws Problem with what speaks against it; nothing was changed then
 */
export function planFailover<H extends Host>(
  all: readonly HostAnswer<ReplicationState, H>[],
  { to: wanted, acceptDataLoss }: FailoverOptions,
  known: Known = NO_RECORD,
): Failover<H> | undefined {
  if (wanted !== undefined && !all.some(({ host }) => host.name === wanted))
    throw new Problem(`--to: there is no database host ${wanted}`, {
      next: `There are ${all.map(({ host }) => host.name).join(', ')}.`,
    })
  const record = recordInForce(known.record, placesOf(all))
  const isOld = ({ host, answer }: HostAnswer<ReplicationState>) =>
    answer?.cluster.kind === 'cluster' && isOutdated(record, host.name, answer.cluster)
  const running = all.filter((one) => isPrimary(one.answer?.cluster) && !isOld(one))
  if (running.length > 1) throw refused(all, 'There are two primaries.', 'Run provision: it says what to do.')
  const [alive] = running
  if (alive && alive.host.name === (wanted ?? alive.host.name) && wanted !== undefined) return undefined
  if (alive)
    throw refused(
      all,
      `${alive.host.name} is the primary and answers.`,
      `To move it without a loss: provision switchover${wanted === undefined ? '' : ` --to ${wanted}`}. If it must go at once, stop it first.`,
    )
  const former = all.filter(({ answer }) => answer?.cluster.kind === 'cluster' && !answer.cluster.standby)
  const heirs = all
    .filter(
      ({ host, answer }) => runningCluster(answer)?.cluster.standby && (wanted ?? host.name) === host.name,
    )
    .sort((a, b) => compareReceived(b.answer, a.answer))
  const old = former.find((one) => isOld(one) && (wanted ?? one.host.name) === one.host.name)
  const heir = heirs[0] ?? (wanted === undefined ? undefined : old)
  if (!heir && old && record) throw onlyOld(all, old.host.name, record)
  if (!heir)
    throw refused(
      all,
      `${wanted ?? 'No database host'} is ${wanted === undefined ? '' : 'not '}a replica that answers.`,
      `Bring ${record?.primary ?? 'one'} back, then run the same command again.`,
    )
  const silent = all.filter(({ answer }) => !answer).map(({ host }) => host)
  // Whichever it is: a primary with a single replica left goes on acknowledging.
  const seeing = silent.length > 0 ? all.find(({ answer }) => answer?.seesPrimary) : undefined
  if (seeing)
    throw refused(
      all,
      `${seeing.host.name} is answered by its primary: that lives, and only cannot be reached from here.`,
      'Mend the way to it, then: provision switchover.',
    )
  const ahead = all.find(
    ({ answer }) => runningCluster(answer)?.cluster.standby && compareReceived(answer, heir.answer) > 0,
  )
  const { words: loss, sure } = lossOf(heir, { former, silent, ahead, known, record })
  if (!sure && !acceptDataLoss)
    throw refused(
      all,
      loss,
      `Bring ${record && record.primary !== heir.host.name ? record.primary : 'the old primary'} back if that can be done: it has everything. Otherwise the same command with --accept-data-loss goes on without it.`,
    )
  const cluster = heir.answer?.cluster.kind === 'cluster' ? heir.answer.cluster : undefined
  const waiting = all.filter(
    ({ host, answer }) => host !== heir.host && runningCluster(answer)?.cluster.standby,
  )
  const recorded = record && record.system === cluster?.system ? record.timeline : 0
  return {
    ...{ to: heir.host, version: cluster?.version ?? 0, system: cluster?.system ?? '', silent, loss },
    timeline: Math.max(cluster?.timeline ?? 0, recorded) + 1,
    revived: heir === old,
    fenced: former.filter((one) => one !== heir).map(({ host }) => host),
    waiting: waiting.map(({ host }) => host),
  }
}

function placesOf(all: readonly HostAnswer<ReplicationState>[]): readonly HostAnswer<ClusterState>[] {
  return all.map(({ host, answer }) => ({ host, answer: answer?.cluster }))
}

function onlyOld(all: readonly HostAnswer<ReplicationState>[], old: string, record: PrimaryRecord): Problem {
  return refused(
    all,
    `${recordWords(record)}. ${old} lacks what was acknowledged since.`,
    `Bring ${record.primary} back: it has everything. Only if it is lost for good: provision failover --to ${old} --accept-data-loss`,
  )
}

interface Gone {
  readonly former: readonly HostAnswer<ReplicationState>[]
  readonly silent: readonly Host[]
  /** A replica that has more, and was not asked for. */
  readonly ahead: HostAnswer<ReplicationState> | undefined
  readonly known: Known
  readonly record: PrimaryRecord | undefined
}

/** What is on the old primary alone. */
function lossOf(
  heir: HostAnswer<ReplicationState>,
  { former, silent, ahead: richer, known, record }: Gone,
): { readonly words: string; readonly sure: boolean } {
  const server = runningCluster(heir.answer)?.server
  const name = heir.host.name
  const cluster = heir.answer?.cluster.kind === 'cluster' ? heir.answer.cluster : undefined
  if (record && cluster?.system === record.system && cluster.timeline < record.timeline)
    return {
      words: `Acknowledged writes will be lost: ${recordWords(record)}, and ${name} is on timeline ${cluster.timeline}. It lacks all that was acknowledged since.`,
      sure: false,
    }
  const ahead = former.filter(
    ({ answer }) => compareLsn(answer?.lastRecord ?? undefined, server?.replayed ?? undefined) >= 0,
  )
  if (
    silent.length === 0 &&
    former.length > 0 &&
    (!record || former.some(({ host }) => host.name === record.primary)) &&
    former.every(({ answer }) => answer?.lastRecord) &&
    ahead.length === 0
  )
    return {
      words: `nothing: ${name} has the last record that ${named(former.map(({ host }) => host))} wrote`,
      sure: true,
    }
  // A commit waits for any one of them: the one that has it may be a replica that says nothing, or has more.
  const unheard = silent.length + former.length > 1
  const isAlone = record !== undefined && !record.waitsFor.includes(name)
  const unsure = unsureWords(known)
  if (server?.synchronous && server.received !== null && !unheard && !richer && !isAlone && !unsure)
    return {
      words: `nothing that was acknowledged: commits waited for ${name} (last one at ${server.lastCommit ?? 'an unknown time'})${record ? '' : ', as far as it has heard. That does not hold if somebody has since run "provision disable-sync-replication" without it'}.`,
      sure: true,
    }
  const since = `all that was committed after ${server?.lastCommit ?? 'the last that it got'}, where ${name} ends`
  const why =
    server?.received === null
      ? `${name} has received nothing since it started`
      : richer
        ? `${richer.host.name} has received more`
        : unheard && server?.synchronous
          ? `another replica may have more, and does not answer (${named([...silent, ...former.map(({ host }) => host)])})`
          : isAlone && server?.synchronous
            ? `commits on ${record.primary} have not waited for it since ${timeWords(record.noReplicaSince ?? record.at)}`
            : server?.synchronous && unsure
              ? `nobody can say whether commits still waited for it: ${unsure.replace(/\.$/, '')}`
              : 'commits did not wait for it'
  return { words: `Acknowledged writes may be lost: ${since}; ${why}.`, sure: false }
}

function refused(all: readonly HostAnswer<ReplicationState>[], why: string, next: string): Problem {
  return new Problem('No failover now, and nothing was changed', {
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

/** Places in the WAL, as PostgreSQL writes them: `16/B374D848`. None is before all. */
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
 * First every host that may have been the primary and answers is kept from being one again, until it is re-attached. Those that do not
 * answer were asked by the heir itself, on the way that replicas take. The record comes before the promotion: a run that is killed between
 * the two leaves a record of a promotion that did not happen, and never a promotion without a record.
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
            { name: 'fenced', to: named(fenced) || 'nobody' },
            ...(silent.length > 0 ? [{ name: 'not fenced, as silent', to: named(silent) }] : []),
            { name: 'lost', to: loss },
            { name: 'recorded on', to: named(record.on) || 'no host' },
            ...(waiting.length > 0
              ? [{ name: 'following it after the next run of provision', to: named(waiting) }]
              : []),
          ],
        },
  apply: ({ to, version, fenced, others, timeline, revived, record }): readonly Command[] => {
    const paths = pathsFor(version)
    const before = revived ? standbyAgain(paths) : sh``
    return [
      ...recordCommands(record),
      ...fenced.map((host) => ({ script: fencedOff(paths), on: host, timeout: '1m' }) as const),
      { script: promote({ paths, others, timeline, before }), on: to, timeout: '5m' },
      { script: assertPromoted, on: to },
    ]
  },
})

/** An old primary becomes a standby, to be promoted to a later timeline. Its commits wait for no replica then. */
function standbyAgain(paths: Paths): Shell {
  const { unit, data } = paths
  return sh`
systemctl stop ${unit}
as_postgres touch ${`${data}/standby.signal`} && sync ${data} && rm -f ${`${data}/promote`} ${synchronousConf(paths)} || refuse 'The old primary could not be made a standby.'
systemctl unmask -q ${unit}; systemctl reset-failed ${unit} 2>/dev/null
systemctl start ${unit} || refuse 'The old primary does not start as a standby; the log of the server says why.'
n=0
until [ "$(ask 'select pg_is_in_recovery()')" = t ]; do
  n=$((n + 1)); [ $n -lt 600 ] || refuse 'The old primary does not answer as a standby.'
  sleep 0.1
done`
}

/** Masked, it is not started by a boot, nor after a crash. */
function fencedOff({ unit, data }: Paths): Shell {
  return sh`systemctl mask -q ${unit} || exit 1
systemctl stop ${unit}
n=0
while pid=$(head -n 1 ${`${data}/postmaster.pid`} 2>/dev/null) && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = postgres ]; do
  n=$((n + 1)); [ $n -lt 30 ] || { echo 'The old server does not end.' >&2; exit 1; }
  kill -QUIT "$pid"; sleep 0.1
done
exit 0`
}
