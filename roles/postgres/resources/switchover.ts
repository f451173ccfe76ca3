import { type Command, type Host, type HostAnswer, Problem, resource, type Shell, sh } from 'provision-ts'
import { type ClusterState, clusterState, describeState, isPrimary } from '../lib/cluster-state.ts'
import { conninfo } from '../lib/conninfo.ts'
import { isOutdated, type Known, NO_RECORD, outdatedProblem, validRecord } from '../lib/known-record.ts'
import { assertPromoted, promote, receivedAllWal } from '../lib/promotion.ts'
import { literal } from '../lib/psql.ts'
import { type ReplicationState, runningCluster } from '../lib/replication-state.ts'
import { formatSetting } from '../lib/settings.ts'
import { localFunctions, peerFunction, sequence } from '../lib/shell.ts'
import { type Paths, pathsFor, slotOf } from '../params.ts'
import { type RecordPlan, recordCommands } from './record.ts'
import { synchronousConf } from './synchronous-replication.ts'

/** Maximum lag of the replica in bytes. It receives them while the primary stops, and writes wait meanwhile. */
const MAX_LAG = 16 * 2 ** 20

/** Maximum age of an open transaction in seconds. It would be aborted. */
const MAX_TRANSACTION_AGE = 15

/** Seconds: the replica is not promoted after the first, and the old primary recovers after the second. */
const PROMOTION_DEADLINE = 20
const RECOVERY_DELAY = 40

export interface Switchover<H extends Host = Host> {
  readonly from: H
  readonly to: H
  /** The PostgreSQL version of both hosts. */
  readonly version: number
  readonly system: string
  readonly timeline: number
  /** The new timeline. */
  readonly next: number
  /** The latest time of the promotion, in seconds since the boot of the new primary. */
  readonly deadline: number
}

/**
 * Plans a switchover; undefined if the requested host is already the primary.
 *
 * @returns a Problem with all reasons against it
 */
export function planSwitchover<H extends Host>(
  all: readonly HostAnswer<ReplicationState, H>[],
  wanted?: string,
  known: Known = NO_RECORD,
): Switchover<H> | Problem | undefined {
  const target = wanted === undefined ? undefined : all.find(({ host }) => host.name === wanted)
  if (wanted !== undefined && !target)
    return new Problem(`--to: there is no database host ${wanted}`, {
      next: `There are ${all.map(({ host }) => host.name).join(', ')}.`,
    })
  const [from, second] = all.filter(({ answer }) => runningCluster(answer)?.cluster.standby === false)
  if (second) return refused(all, ['There are two primaries.'], 'Run provision, which reports what to do.')
  if (!from)
    return refused(
      all,
      ['No primary answers.'],
      'After an interrupted switchover the old primary recovers within a minute. Otherwise start it, or: provision failover.',
    )
  const states = all.map(({ host, answer }) => ({ host, answer: answer?.cluster }))
  const record = validRecord(known.record, states)
  const cluster = runningCluster(from.answer)?.cluster
  if (record && cluster && isOutdated(record, from.host.name, cluster))
    return outdatedProblem(from.host.name, cluster, record, describeAll(all))
  if (from === target) return undefined
  const to =
    target ?? all.find(({ host, answer }) => host !== from.host && obstacles(from, { host, answer }).length === 0)
  const away = all.filter(({ answer }) => !answer).map(({ host }) => `${host.name} cannot be reached.`)
  const reasons = [...away, ...(to ? obstacles(from, to) : candidates(all, from))]
  if (reasons.length > 0 || !to) return refused(all, reasons, 'Fix this, then run the same command again.')
  const { timeline = 0, version = 0, system = '' } = cluster ?? {}
  return {
    from: from.host,
    to: to.host,
    ...{ timeline, version, system },
    next: Math.max(timeline, record?.system === system ? record.timeline : 0) + 1,
    deadline: (to.answer?.uptime ?? 0) + PROMOTION_DEADLINE,
  }
}

function candidates(
  all: readonly HostAnswer<ReplicationState>[],
  from: HostAnswer<ReplicationState>,
): readonly string[] {
  const others = all.filter(({ host }) => host !== from.host)
  return others.length > 0 ? others.flatMap((one) => obstacles(from, one)) : ['There is no other database host.']
}

function obstacles(
  from: HostAnswer<ReplicationState>,
  { host, answer }: HostAnswer<ReplicationState>,
): readonly string[] {
  const primary = runningCluster(from.answer)
  const replica = runningCluster(answer)
  if (!primary) return []
  if (!replica?.cluster.standby) return [`${host.name} is not a replica that answers.`]
  const connection = primary.server.replicas.find(({ name }) => name === host.name)
  const { receiver } = replica.server
  return [
    (connection?.state !== 'streaming' || receiver?.state !== 'streaming') &&
      `${host.name} does not stream from ${from.host.name} (${connection?.state ?? 'not connected'}).`,
    replica.cluster.timeline !== primary.cluster.timeline &&
      `${host.name} is on timeline ${replica.cluster.timeline}, ${from.host.name} on ${primary.cluster.timeline}.`,
    replica.cluster.version !== primary.cluster.version && `${host.name} has another version of PostgreSQL.`,
    Math.max(connection?.behind ?? 0, connection?.unapplied ?? 0) > MAX_LAG &&
      `${host.name} is ${Math.max(connection?.behind ?? 0, connection?.unapplied ?? 0)} bytes behind.`,
    primary.server.oldestTransaction > MAX_TRANSACTION_AGE &&
      `A transaction on ${from.host.name} has been open for ${primary.server.oldestTransaction} s and would be aborted.`,
    primary.server.backup && `A base backup of ${from.host.name} is running and would be aborted.`,
  ].filter((why) => why !== false)
}

function refused(all: readonly HostAnswer<ReplicationState>[], reasons: readonly string[], next: string): Problem {
  return new Problem('A switchover is not possible now, and nothing was changed', {
    details: [...reasons, ...describeAll(all)],
    next,
  })
}

function describeAll(all: readonly HostAnswer<ReplicationState>[]): readonly string[] {
  return all.map(({ host, answer }) => `${host.name} ${describeState(answer?.cluster)}`)
}

interface SwitchoverParams extends Switchover {
  /** All database hosts but the new primary. */
  readonly others: readonly Host[]
  readonly record: RecordPlan
}

/**
 * The old primary stops, the replica is promoted once it has all WAL, and the old primary becomes its replica immediately. If the run is
 * killed, the old primary runs again or follows the new one within a minute. There are never two primaries: the deadline of the promotion is
 * long before the old primary recovers, and that asks the other host first.
 */
export const switchover = resource<SwitchoverParams, ClusterState>('database switchover', {
  id: ({ from, to }) => `${from.name} → ${to.name}`,
  read: () => clusterState.read,
  diff: ({ from, to }, have) =>
    isPrimary(have) ? undefined : { action: 'change', fields: [{ name: 'primary', from: from.name, to: to.name }] },
  apply: (params): readonly Command[] => {
    const { from, to, others, timeline, next, version, deadline, record } = params
    const paths = pathsFor(version)
    const before = sh`${receivedAllWal(paths, timeline)}
n=0
until complete; do
  n=$((n + 1)); [ $n -lt 100 ] || refuse ${`${to.name} has not received all WAL of ${from.name}.`}
  sleep 0.02
done
[ "$(cut -d . -f 1 /proc/uptime)" -lt ${deadline} ] || refuse 'The run was too slow, and the deadline of the promotion has passed; run the same command again.'`
    return [
      ...recordCommands(record),
      { script: stopPrimary(params), on: from, timeout: '2m' },
      { script: promote({ paths, others, timeline: next, before }), on: to, timeout: '2m' },
      { script: restartOldPrimary(params), on: from, timeout: '2m' },
      { script: sequence([assertPromoted, waitForReplica(paths, from)]), on: to, timeout: '1m' },
    ]
  },
})

/** The unit that recovers the old primary if the run is killed. */
const RECOVERY_UNIT = 'provision-postgres-back'

/** Stops the primary. A checkpoint before makes the stop fast. The recovery timer starts before the stop. */
function stopPrimary(params: SwitchoverParams): Shell {
  const { to, version } = params
  const paths = pathsFor(version)
  const { unit, bin, data } = paths
  const lag = `select count(*) from pg_stat_replication where application_name = ${literal(to.name)} and state = 'streaming' and pg_wal_lsn_diff(pg_current_wal_lsn(), flush_lsn) < ${MAX_LAG}`
  return sh`${localFunctions(paths)}
[ "$(ask 'select pg_is_in_recovery()')" = f ] || { echo 'This host is no longer the primary.' >&2; exit 1; }
ask checkpoint || exit 1
close=$(ask ${lag})
[ "$close" = 1 ] || { echo ${`${to.name} is too far behind now; nothing was changed.`} >&2; exit 1; }
systemctl stop ${`${RECOVERY_UNIT}.timer`} ${`${RECOVERY_UNIT}.service`} 2>/dev/null
systemctl reset-failed ${`${RECOVERY_UNIT}.service`} ${`${RECOVERY_UNIT}.timer`} 2>/dev/null
printf '%s\n' ${recoveryScript(params).text} > ${`/run/${RECOVERY_UNIT}`} || exit 1
systemd-run -q --unit ${RECOVERY_UNIT} --on-active ${`${RECOVERY_DELAY}s`} --timer-property AccuracySec=100ms --service-type oneshot /bin/sh ${`/run/${RECOVERY_UNIT}`} || exit 1
systemctl stop ${unit}
${bin}/pg_controldata ${data} | grep -q '^Database cluster state: *shut down$' || {
  echo 'The primary did not shut down cleanly, and was started again.' >&2
  systemctl stop ${`${RECOVERY_UNIT}.timer`}; systemctl start ${unit}; exit 1
}`
}

/** Makes the old primary follow the new one, or be the primary again. It waits while the other host does not answer, as the state is unknown. */
function recoveryScript({ version, to, from }: SwitchoverParams): Shell {
  const paths = pathsFor(version)
  const { unit, data, config } = paths
  const conf = `${config}/conf.d/90-provision.conf`
  const follows = `primary_conninfo = ${formatSetting(conninfo(to.address))}`
  return sh`exec 8>/run/provision-postgres.lock
flock 8
${localFunctions(paths)}${peerFunction(paths, to.address)}
systemctl is-active -q ${unit} && exit 0
until said=$(peer 3); [ "$said" != silent ]; do sleep 1; done
case "$said" in primary*)
  as_postgres touch ${`${data}/standby.signal`} && sync ${data} || exit 1
  rm -f ${synchronousConf(paths)}
  grep -qxF ${follows} ${conf} || { { grep -v '^primary_conninfo ' ${conf}; printf '%s\n' ${follows} ${`primary_slot_name = ${formatSetting(slotOf(from))}`}; } > ${`${conf}.new`} && mv ${`${conf}.new`} ${conf}; }
;; esac
systemctl start ${unit} && systemctl is-active -q ${unit}`
}

/** Runs the recovery now instead of by the timer. If it cannot finish yet, the timer stays. */
function restartOldPrimary(params: SwitchoverParams): Shell {
  const { version, to, from } = params
  const { unit, log } = pathsFor(version)
  return sh`timeout 20 sh -c ${recoveryScript(params).text} && systemctl stop ${`${RECOVERY_UNIT}.timer`} && exit 0
{
  journalctl -q --no-pager -o cat -n 5 -u ${unit}; tail -n 5 ${log}
  echo ${`If ${to.name} does not answer, it is unknown if it was promoted, and ${from.name} stays down until it does. If it is lost: systemctl start ${unit}`}
} >&2
exit 1`
}

function waitForReplica(paths: Paths, { name }: Host): Shell {
  const streams = `select count(*) from pg_stat_replication where application_name = ${literal(name)} and state = 'streaming'`
  return sh`${localFunctions(paths)}
n=0
until seen=$(ask ${streams}) && [ "$seen" = 1 ]; do
  n=$((n + 1)); [ $n -lt 300 ] || { echo ${`${name} does not follow within 30 s.`} >&2; exit 1; }
  sleep 0.1
done`
}
