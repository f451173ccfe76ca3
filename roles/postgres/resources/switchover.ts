import { type Command, type Host, type HostAnswer, Problem, resource, type Shell, sh } from 'provision-ts'
import { type ClusterState, clusterState, describeState, isPrimary } from '../lib/cluster-state.ts'
import { conninfo } from '../lib/conninfo.ts'
import { isOutdated, type Known, NO_RECORD, outdated, recordInForce } from '../lib/known-record.ts'
import { assertPromoted, promote, receivedAllWal } from '../lib/promotion.ts'
import { literal } from '../lib/psql.ts'
import { type ReplicationState, runningCluster } from '../lib/replication-state.ts'
import { formatSetting } from '../lib/settings.ts'
import { localFunctions, peerFunction, sequence } from '../lib/shell.ts'
import { type Paths, pathsFor, slotOf } from '../params.ts'
import { type RecordPlan, recordCommands } from './record.ts'
import { synchronousConf } from './synchronous-replication.ts'

/** Bytes that the replica may be behind: it gets them while the primary stops, and writes wait meanwhile. */
const MOST_BEHIND = 16 * 2 ** 20

/** Seconds for which a transaction may be open: it would be cut off. */
const LONGEST = 15

/** Seconds. After the former the replica is not promoted any more; after the latter the old primary looks whether it was. */
const PROMOTED_WITHIN = 20
const BACK_AFTER = 40

export interface Switchover<H extends Host = Host> {
  readonly from: H
  readonly to: H
  /** Of both. */
  readonly version: number
  readonly system: string
  readonly timeline: number
  /** The timeline that begins. */
  readonly next: number
  /** By the new primary's own clock, in seconds since its boot. */
  readonly deadline: number
}

/**
 * Who takes over from whom; undefined when the host that was asked for is the primary already.
 *
 * @throws Problem with all that speaks against it; nothing was changed then
 */
export function planSwitchover<H extends Host>(
  all: readonly HostAnswer<ReplicationState, H>[],
  wanted?: string,
  known: Known = NO_RECORD,
): Switchover<H> | undefined {
  const target = wanted === undefined ? undefined : all.find(({ host }) => host.name === wanted)
  if (wanted !== undefined && !target)
    throw new Problem(`--to: there is no database host ${wanted}`, {
      next: `There are ${all.map(({ host }) => host.name).join(', ')}.`,
    })
  const [from, second] = all.filter(({ answer }) => runningCluster(answer)?.cluster.standby === false)
  if (second) throw refused(all, ['There are two primaries.'], 'Run provision: it says what to do.')
  if (!from)
    throw refused(
      all,
      ['No primary answers.'],
      'If a switchover was cut short, the old primary looks after itself within a minute. Else start it, or: provision failover.',
    )
  const places = all.map(({ host, answer }) => ({ host, answer: answer?.cluster }))
  const record = recordInForce(known.record, places)
  const cluster = runningCluster(from.answer)?.cluster
  if (record && cluster && isOutdated(record, from.host.name, cluster))
    throw outdated(from.host.name, cluster, record, told(all))
  if (from === target) return undefined
  const to =
    target ??
    all.find(({ host, answer }) => host !== from.host && whyNot(from, { host, answer }).length === 0)
  const away = all.filter(({ answer }) => !answer).map(({ host }) => `${host.name} could not be reached.`)
  const against = [...away, ...(to ? whyNot(from, to) : candidates(all, from))]
  if (against.length > 0 || !to) throw refused(all, against, 'Mend it, then run the same command again.')
  const { timeline = 0, version = 0, system = '' } = cluster ?? {}
  return {
    from: from.host,
    to: to.host,
    ...{ timeline, version, system },
    next: Math.max(timeline, record?.system === system ? record.timeline : 0) + 1,
    deadline: (to.answer?.uptime ?? 0) + PROMOTED_WITHIN,
  }
}

function candidates(
  all: readonly HostAnswer<ReplicationState>[],
  from: HostAnswer<ReplicationState>,
): readonly string[] {
  const others = all.filter(({ host }) => host !== from.host)
  return others.length > 0 ? others.flatMap((one) => whyNot(from, one)) : ['There is no other database host.']
}

function whyNot(
  from: HostAnswer<ReplicationState>,
  { host, answer }: HostAnswer<ReplicationState>,
): readonly string[] {
  const primary = runningCluster(from.answer)
  const replica = runningCluster(answer)
  if (!primary) return []
  if (!replica?.cluster.standby) return [`${host.name} is no replica that answers.`]
  const follower = primary.server.replicas.find(({ name }) => name === host.name)
  const { receiver } = replica.server
  return [
    (follower?.state !== 'streaming' || receiver?.state !== 'streaming') &&
      `${host.name} does not stream from ${from.host.name} (${follower?.state ?? 'not connected'}).`,
    replica.cluster.timeline !== primary.cluster.timeline &&
      `${host.name} is on timeline ${replica.cluster.timeline}, ${from.host.name} on ${primary.cluster.timeline}.`,
    replica.cluster.version !== primary.cluster.version && `${host.name} is of another version.`,
    Math.max(follower?.behind ?? 0, follower?.unapplied ?? 0) > MOST_BEHIND &&
      `${host.name} is ${Math.max(follower?.behind ?? 0, follower?.unapplied ?? 0)} bytes behind.`,
    primary.server.oldestTransaction > LONGEST &&
      `A transaction on ${from.host.name} has been open for ${primary.server.oldestTransaction} s; it would be cut off.`,
    primary.server.backup && `A base backup is being taken from ${from.host.name}; it would be cut off.`,
  ].filter((why) => why !== false)
}

function refused(
  all: readonly HostAnswer<ReplicationState>[],
  against: readonly string[],
  next: string,
): Problem {
  return new Problem('A switchover cannot begin now, and nothing was changed', {
    details: [...against, ...told(all)],
    next,
  })
}

function told(all: readonly HostAnswer<ReplicationState>[]): readonly string[] {
  return all.map(({ host, answer }) => `${host.name} ${describeState(answer?.cluster)}`)
}

interface SwitchoverParams extends Switchover {
  /** All database hosts but the new primary. */
  readonly others: readonly Host[]
  readonly record: RecordPlan
}

/**
 * The old primary stops, and the replica takes over when it has all that was written; the old one becomes its replica at once. Each
 * command is whole by itself and needs nobody between: a minute later, at most, the old primary either runs again or follows the
 * new one, whoever was killed meanwhile. Two primaries there cannot be: the replica is not promoted any more long before the old one
 * looks after itself, and that asks the other first.
 */
export const switchover = resource<SwitchoverParams, ClusterState>('database switchover', {
  id: ({ from, to }) => `${from.name} → ${to.name}`,
  read: () => clusterState.read,
  diff: ({ from, to }, have) =>
    isPrimary(have)
      ? undefined
      : { action: 'change', fields: [{ name: 'primary', from: from.name, to: to.name }] },
  apply: (params): readonly Command[] => {
    const { from, to, others, timeline, next, version, deadline, record } = params
    const paths = pathsFor(version)
    const before = sh`${receivedAllWal(paths, timeline)}
n=0
until complete; do
  n=$((n + 1)); [ $n -lt 100 ] || refuse ${`${to.name} has not got all that ${from.name} wrote.`}
  sleep 0.02
done
[ "$(cut -d . -f 1 /proc/uptime)" -lt ${deadline} ] || refuse 'It took too long since the hosts were asked; run the same command again.'`
    return [
      ...recordCommands(record),
      { script: stopped(params), on: from, timeout: '2m' },
      { script: promote({ paths, others, timeline: next, before }), on: to, timeout: '2m' },
      { script: settled(params), on: from, timeout: '2m' },
      { script: sequence([assertPromoted, followed(paths, from)]), on: to, timeout: '1m' },
    ]
  },
})

/** The unit that looks after the old primary when nobody else does. */
const BACK = 'provision-postgres-back'

/** The checkpoint before makes the one at the stop short. Whoever stops the server must have seen to its way back first. */
function stopped(params: SwitchoverParams): Shell {
  const { to, version } = params
  const paths = pathsFor(version)
  const { unit, bin, data } = paths
  const lag = `select count(*) from pg_stat_replication where application_name = ${literal(to.name)} and state = 'streaming' and pg_wal_lsn_diff(pg_current_wal_lsn(), flush_lsn) < ${MOST_BEHIND}`
  return sh`${localFunctions(paths)}
[ "$(ask 'select pg_is_in_recovery()')" = f ] || { echo 'This is no primary any more.' >&2; exit 1; }
ask checkpoint || exit 1
close=$(ask ${lag})
[ "$close" = 1 ] || { echo ${`${to.name} does not follow closely enough any more; nothing was changed.`} >&2; exit 1; }
systemctl stop ${`${BACK}.timer`} ${`${BACK}.service`} 2>/dev/null
systemctl reset-failed ${`${BACK}.service`} ${`${BACK}.timer`} 2>/dev/null
printf '%s\n' ${looksAfterItself(params).text} > ${`/run/${BACK}`} || exit 1
systemd-run -q --unit ${BACK} --on-active ${`${BACK_AFTER}s`} --timer-property AccuracySec=100ms --service-type oneshot /bin/sh ${`/run/${BACK}`} || exit 1
systemctl stop ${unit}
${bin}/pg_controldata ${data} | grep -q '^Database cluster state: *shut down$' || {
  echo 'The primary did not stop well; it is started again.' >&2
  systemctl stop ${`${BACK}.timer`}; systemctl start ${unit}; exit 1
}`
}

/**
 * Follows the new primary, or is the primary again when there is none. While the other is silent, nobody knows which: it waits, for
 * minutes if need be.
 */
function looksAfterItself({ version, to, from }: SwitchoverParams): Shell {
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

/** Does now what the timer would do; where that cannot be done yet, the timer is left to it. */
function settled(params: SwitchoverParams): Shell {
  const { version, to, from } = params
  const { unit, log } = pathsFor(version)
  return sh`timeout 20 sh -c ${looksAfterItself(params).text} && systemctl stop ${`${BACK}.timer`} && exit 0
{
  journalctl -q --no-pager -o cat -n 5 -u ${unit}; tail -n 5 ${log}
  echo ${`Where ${to.name} is silent, nobody knows whether it was promoted: ${from.name} stays down until it answers. If it never will: systemctl start ${unit}`}
} >&2
exit 1`
}

function followed(paths: Paths, { name }: Host): Shell {
  const streams = `select count(*) from pg_stat_replication where application_name = ${literal(name)} and state = 'streaming'`
  return sh`${localFunctions(paths)}
n=0
until seen=$(ask ${streams}) && [ "$seen" = 1 ]; do
  n=$((n + 1)); [ $n -lt 300 ] || { echo ${`${name} does not follow within 30 s.`} >&2; exit 1; }
  sleep 0.1
done`
}
