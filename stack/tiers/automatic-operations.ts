import {
  after,
  allAnswers,
  ask,
  askEach,
  delegateTo,
  type Host,
  mapAnswers,
  type Play,
  type Probe,
  Problem,
  play,
  probe,
  read,
  runOnce,
  type Steps,
  sh,
} from 'provision-ts'
import { CONTROL } from '../../roles/etcd/params.ts'
import { newCopy, patroni } from '../../roles/patroni/index.ts'
import { failoverUnderPatroni, switchoverTarget } from '../../roles/patroni/lib/plan-failover.ts'
import { patroniState } from '../../roles/patroni/lib/state.ts'
import { REST, restUrl } from '../../roles/patroni/params.ts'
import { leaderElected, patroniFailover, patroniSwitchover } from '../../roles/patroni/resources/moved.ts'
import { readSwitchoverPlan } from '../../roles/postgres/lib/plans.ts'
import { postgresReadiness } from '../../roles/postgres/lib/readiness.ts'
import type { RecordPlan } from '../../roles/postgres/resources/record.ts'
import { type Switchover, switchover } from '../../roles/postgres/resources/switchover.ts'
import { isAutomatic, votersOf } from '../lib/database-params.ts'
import type { Condition } from '../lib/gates.ts'
import { recorders } from '../lib/record.ts'
import type { DatabaseHost, Site } from '../schema.ts'
import { databaseRoles } from './database.ts'

interface MoveOptions {
  /** The new primary. @default the replica that follows; under Patroni the one that has each acknowledged write */
  readonly to?: string | undefined
  /** Does nothing if another host is the primary. */
  readonly from?: Host
}

/** Moves the primary in a planned way. */
export function movePrimary(values: Site, { to, from }: MoveOptions): Steps {
  const { db } = values
  const planned = (target: string | undefined) =>
    after(
      readSwitchoverPlan(db, recorders(values), target),
      (move) => move && (from === undefined || move.from.name === from.name) && moving(values, move),
    )
  return isAutomatic(values)
    ? after(askEach(db, patroniState), (all) => planned(switchoverTarget(all, to)))
    : planned(to)
}

/** By Patroni if that manages the servers. The plan has checked before that this is possible. */
function moving(values: Site, move: Switchover<DatabaseHost> & { readonly record: RecordPlan }): Steps {
  const { from, to } = move
  return isAutomatic(values)
    ? delegateTo(to, patroniSwitchover({ from: from.name, to: to.name, url: restUrl(from) }))
    : delegateTo(to, switchover({ ...move, others: values.db.without(to) }))
}

/** Seconds in which Patroni promotes a replica if it can: the lease, and time for the promotion. */
const PROMOTED_WITHIN = 60

/** Waits for a failover by Patroni; a failover that would lose writes needs the confirmation of the operator. */
export function failoverPlays(
  hosts: readonly DatabaseHost[],
  ignoreUnreachable: (host: Host) => string,
  wishes: { readonly to?: string | undefined; readonly acceptDataLoss: boolean },
): readonly Play[] {
  return [
    play('database: failover', { anyErrorsFatal: true, ignoreUnreachable, hosts: { hosts } }, () =>
      runOnce(
        after(
          mapAnswers(allAnswers(askEach({ hosts }, patroniState), askEach({ hosts }, vote)), ([all, votes]) =>
            failoverUnderPatroni(all, { ...wishes, majority: votes.some(({ answer }) => answer === true) }),
          ),
          (plan) => {
            if (plan.kind === 'nothing') return []
            return plan.kind === 'wait'
              ? delegateTo(plan.at, leaderElected({ seconds: PROMOTED_WITHIN, urls: hosts.map(restUrl) }))
              : delegateTo(plan.to, patroniFailover({ to: plan.to.name, loss: plan.loss }))
          },
        ),
      ),
    ),
  ]
}

/** Waits until Patroni has rewound an old primary; with `copy` its data are copied again. */
export function rejoinPlays(values: Site, host: DatabaseHost, copy: boolean): readonly Play[] {
  return [
    play(`${host.name}: rejoin`, { hosts: { hosts: [host] } }, () => [
      copy && newCopy({ name: host.name, version: host.version }),
      patroni({ ...host, leader: false, replicas: [] }),
    ]),
    ...databaseRoles(values),
  ]
}

/** Requires all members of etcd: without one more, no host could be promoted. */
export function allVotes(values: Site): Condition {
  const voters = votersOf(values)
  return mapAnswers(askEach({ hosts: voters }, vote), (all) => {
    const away = all.filter(({ answer }) => answer !== true).map(({ host }) => host.name)
    return away.length === 0
      ? undefined
      : new Problem(`${away.join(', ')} has no vote now, and no other host can be taken out of service`, {
          next: 'Nothing was changed. Repair its member of etcd first; provision verify reports the problem.',
        })
  })
}

/** True if the host's member of etcd answers, which needs a majority of the members. */
export const vote = ask(
  'is its member of etcd healthy?',
  read(
    sh`own=$(sed -n 's/^ETCD_ADVERTISE_CLIENT_URLS=//p' /etc/default/etcd 2>/dev/null)
[ "$own" ] && ETCDCTL_ENDPOINTS=$own ${CONTROL} endpoint health >/dev/null 2>&1`,
    ({ code }) => code === 0,
  ),
)

/** The readiness of a database host before the next one begins. */
export function databaseReadiness(values: Site): (host?: Host) => Probe {
  return isAutomatic(values) ? wellInCluster : postgresReadiness
}

/** Rejects an operation that Patroni replaces or would disturb. @throws Problem if failover is automatic */
export function requireManualFailover(values: Site, operation: string, instead: string): void {
  if (!isAutomatic(values)) return
  throw new Problem(`provision ${operation} is not available with automatic failover`, {
    next: `Nothing was changed. ${instead}`,
  })
}

/** Ready if all members of etcd are healthy, a primary leads, and a replica has each write. */
function wellInCluster(_host?: Host): Probe {
  return probe(
    'all members of etcd are healthy, and commits wait for a replica',
    sh`said=$(${CONTROL} endpoint health 2>&1) || { printf '%s\n' "$said" | grep unhealthy; exit 1; }
[ -x ${REST} ] || exit 0
said=$(PATRONI_TIMEOUT=4 ${REST} GET /cluster) || exit 1
case $said in *'"role": "leader", "state": "running"'*) ;; *) echo "no primary: $said"; exit 1 ;; esac
case $said in *'_standby", "state": "streaming"'*) ;; *) echo "no replica has each write: $said"; exit 1 ;; esac`,
    { timeout: '3m' },
  )
}
