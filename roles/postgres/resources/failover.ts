import { type Command, type Host, type HostAnswer, Problem, resource, type Shell, sh } from 'provision-ts'
import { type ClusterState, clusterState, describeState, isPrimary } from '../lib/cluster-state.ts'
import { assertPromoted, promote } from '../lib/promotion.ts'
import { type ReplicationState, runningCluster } from '../lib/replication-state.ts'
import { type Paths, pathsFor } from '../params.ts'

export interface Failover<H extends Host = Host> {
  readonly to: H
  readonly version: number
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
 * @throws Problem with what speaks against it; nothing was changed then
 */
export function planFailover<H extends Host>(
  all: readonly HostAnswer<ReplicationState, H>[],
  { to: wanted, acceptDataLoss }: FailoverOptions,
): Failover<H> | undefined {
  if (wanted !== undefined && !all.some(({ host }) => host.name === wanted))
    throw new Problem(`--to: there is no database host ${wanted}`, {
      next: `There are ${all.map(({ host }) => host.name).join(', ')}.`,
    })
  const running = all.filter(({ answer }) => isPrimary(answer?.cluster))
  if (running.length > 1) throw refused(all, 'There are two primaries.', 'Run provision: it says what to do.')
  const [alive] = running
  if (alive && alive.host.name === (wanted ?? alive.host.name) && wanted !== undefined) return undefined
  if (alive)
    throw refused(
      all,
      `${alive.host.name} is the primary and answers.`,
      `To move it without a loss: provision switchover${wanted === undefined ? '' : ` --to ${wanted}`}. If it must go at once, stop it first.`,
    )
  const heirs = all
    .filter(
      ({ host, answer }) => runningCluster(answer)?.cluster.standby && (wanted ?? host.name) === host.name,
    )
    .sort((a, b) => compareLsn(receivedOf(b.answer), receivedOf(a.answer)))
  const [heir] = heirs
  if (!heir)
    throw refused(
      all,
      `${wanted ?? 'No database host'} is ${wanted === undefined ? '' : 'not '}a replica that answers.`,
      'Bring one back, then run the same command again.',
    )
  const silent = all.filter(({ answer }) => !answer).map(({ host }) => host)
  const former = all.filter(({ answer }) => answer?.cluster.kind === 'cluster' && !answer.cluster.standby)
  // Whichever it is: a primary with a single replica left goes on acknowledging.
  const seeing = silent.length > 0 ? all.find(({ answer }) => answer?.seesPrimary) : undefined
  if (seeing)
    throw refused(
      all,
      `${seeing.host.name} is answered by its primary: that lives, and only cannot be reached from here.`,
      'Mend the way to it, then: provision switchover.',
    )
  const ahead = all.find(
    ({ answer }) =>
      runningCluster(answer)?.cluster.standby && compareLsn(receivedOf(answer), receivedOf(heir.answer)) > 0,
  )
  const { words: loss, sure } = lossOf(heir, { former, silent, ahead })
  if (!sure && !acceptDataLoss)
    throw refused(
      all,
      loss,
      'Bring the old primary back if that can be done: it has everything. Otherwise the same command with --accept-data-loss goes on without it.',
    )
  const version = runningCluster(heir.answer)?.cluster.version ?? 0
  const waiting = all.filter(
    ({ host, answer }) => host !== heir.host && runningCluster(answer)?.cluster.standby,
  )
  return {
    ...{ to: heir.host, version, silent, loss },
    fenced: former.map(({ host }) => host),
    waiting: waiting.map(({ host }) => host),
  }
}

interface Gone {
  readonly former: readonly HostAnswer<ReplicationState>[]
  readonly silent: readonly Host[]
  /** A replica that has more, and was not asked for. */
  readonly ahead: HostAnswer<ReplicationState> | undefined
}

/** What is on the old primary alone. */
function lossOf(
  heir: HostAnswer<ReplicationState>,
  { former, silent, ahead: richer }: Gone,
): { readonly words: string; readonly sure: boolean } {
  const server = runningCluster(heir.answer)?.server
  const name = heir.host.name
  const ahead = former.filter(
    ({ answer }) => compareLsn(answer?.lastRecord ?? undefined, server?.replayed ?? undefined) >= 0,
  )
  if (
    silent.length === 0 &&
    former.length > 0 &&
    former.every(({ answer }) => answer?.lastRecord) &&
    ahead.length === 0
  )
    return {
      words: `nothing: ${name} has the last record that ${named(former.map(({ host }) => host))} wrote`,
      sure: true,
    }
  // A commit waits for any one of them: the one that has it may be a replica that says nothing, or has more.
  const unheard = silent.length + former.length > 1
  if (server?.synchronous && server.received !== null && !unheard && !richer)
    return {
      words: `nothing that was acknowledged: as far as ${name} has heard, commits waited for it (last one at ${server.lastCommit ?? 'an unknown time'}). That does not hold if somebody has since run "provision disable-sync-replication" without it.`,
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

function receivedOf(found: ReplicationState | undefined): string | undefined {
  return runningCluster(found)?.server.received ?? undefined
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
}

/**
 * First every host that may have been the primary and answers is kept from being one again, until it is rejoined. Those that do not
 * answer were asked by the heir itself, on the way that replicas take.
 */
export const failover = resource<FailoverParams, ClusterState>('database failover', {
  id: ({ to }) => `to ${to.name}`,
  read: () => clusterState.read,
  diff: ({ to, loss, fenced, silent, waiting }, have) =>
    isPrimary(have)
      ? undefined
      : {
          action: 'change',
          fields: [
            { name: 'primary', to: to.name },
            { name: 'fenced', to: named(fenced) || 'nobody' },
            ...(silent.length > 0 ? [{ name: 'not fenced, as silent', to: named(silent) }] : []),
            { name: 'lost', to: loss },
            ...(waiting.length > 0
              ? [{ name: 'following it after the next run of provision', to: named(waiting) }]
              : []),
          ],
        },
  apply: ({ to, version, fenced, others }): readonly Command[] => {
    const paths = pathsFor(version)
    return [
      ...fenced.map((host) => ({ script: fencedOff(paths), on: host, timeout: '1m' }) as const),
      { script: promote({ paths, others, before: sh`` }), on: to, timeout: '2m' },
      { script: assertPromoted, on: to },
    ]
  },
})

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
