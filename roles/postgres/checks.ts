import {
  askEach,
  askHost,
  type Check,
  expect,
  type Group,
  type Host,
  type HostAnswer,
  Problem,
  Unknown,
} from 'provision-ts'
import { runs } from '../base/checks.ts'
import type { ClusterState } from './lib/cluster-state.ts'
import { type Health, health } from './lib/health.ts'
import { choosePrimary } from './lib/primary.ts'

type DatabaseHost = Host<{ readonly seed: boolean }>
type Found = HostAnswer<Health | Problem, DatabaseHost>
export type ServerHealth = Health & { readonly host: DatabaseHost }

/** Maximum lag of a replica in bytes: a segment of WAL. */
const MAX_LAG = 16 * 1024 * 1024

/** Checks of a primary and its replicas. */
export function postgresChecks(
  db: Group<DatabaseHost>,
  { unit = 'postgresql@*-main.service' }: { readonly unit?: string } = {},
): readonly Check[] {
  const all = askEach(db, health)
  const next = 'See the logs below /var/log/postgresql on these hosts.'
  const every = (label: string, wrong: Wrong, more: { readonly next?: string } = { next }) =>
    expect(label, all, judged(wrong), more)
  return [
    ...db.hosts.flatMap((host) => [
      runs(host, unit, unit.startsWith('postgresql') ? 'postgresql' : unit),
      expect('PostgreSQL answers', askHost(host, health), (answer) => (answer instanceof Problem ? answer : undefined)),
    ]),
    expect('exactly one host is the primary', all, onePrimary, {
      says: (found) => `${primariesIn(found)[0]?.host.name} is the primary`,
    }),
    expect('all replicas of the inventory are connected to the primary', all, allConnected, { next }),
    every('all replicas stream from the primary', streams),
    every('all servers are on the same timeline', oneTimeline),
    expect('no replica is more than 16 MiB behind', all, judged(smallLag), { next, says: lag }),
    every('a replica confirms commits if they wait for one', synchronous),
    every(
      'no replication slot has lost its WAL',
      ({ host, lost }) => lost.map((slot) => `${slot} on ${host.name} has lost it`),
      {
        next: 'Run provision: it creates the slot again. If the replica cannot continue, it needs a new copy.',
      },
    ),
    every(
      'no setting needs a restart',
      ({ host, pending }) => pending.map((name) => `${name} on ${host.name} needs one`),
      {},
    ),
  ]
}

type Wrong = (one: ServerHealth, all: readonly ServerHealth[]) => readonly string[]

/** Fails if one server has a problem; otherwise unknown until all servers answer. */
export function judged(wrong: Wrong) {
  return (found: readonly Found[]): string | Unknown | undefined => {
    const all = servers(found)
    const problems = all.flatMap((one) => wrong(one, all))
    return problems.length > 0 ? problems.join('; ') : unanswered(found)
  }
}

/** A host that does not answer may be a second primary, unless the primary sees it as a replica. */
export function onePrimary(found: readonly Found[]): Problem | undefined {
  const [primary, another] = primariesIn(found)
  const silent = unanswered(found)
  // The problem of two primaries, or none, is the same as in a run.
  if (primary && another) choosePrimary(found.map(placed))
  if (!primary) {
    if (silent) return silent
    choosePrimary(found.map(placed))
    return undefined
  }
  const seen = primary.replicas.map(({ name }) => name)
  return silentHosts(found).every((name) => seen.includes(name)) ? undefined : silent
}

function placed({ host, answer }: Found): HostAnswer<ClusterState, DatabaseHost> {
  if (!answer || answer instanceof Problem) return { host, answer: undefined }
  const { version, standby, system, timeline } = answer
  const state = standby ? 'in archive recovery' : 'in production'
  return {
    host,
    answer: { kind: 'cluster', version, standby, running: true, system, timeline, state },
  }
}

/** Detects a frozen or lost replica, also if it does not answer. */
export function allConnected(found: readonly Found[]): string | Unknown | undefined {
  const [primary] = primariesIn(found)
  if (!primary) return unanswered(found) ?? new Unknown('no host is the primary')
  const seen = primary.replicas.map(({ name }) => name)
  const missing = found.flatMap(({ host }) =>
    host.name === primary.host.name || seen.includes(host.name) ? [] : [host.name],
  )
  return missing.length > 0 ? `${primary.host.name} has no connection from ${missing.join(', ')}` : undefined
}

function primariesIn(found: readonly Found[]): readonly ServerHealth[] {
  return servers(found).filter(({ standby }) => !standby)
}

function servers(found: readonly Found[]): readonly ServerHealth[] {
  return found.flatMap(({ host, answer }) => (answer && !(answer instanceof Problem) ? [{ host, ...answer }] : []))
}

function silentHosts(found: readonly Found[]): readonly string[] {
  return found.flatMap(({ host, answer }) => (!answer || answer instanceof Problem ? [host.name] : []))
}

function unanswered(found: readonly Found[]): Unknown | undefined {
  const silent = silentHosts(found)
  return silent.length === 0 ? undefined : new Unknown(`no answer from ${silent.join(', ')}`)
}

export function streams({ host, standby, receives }: ServerHealth, all: readonly ServerHealth[]): readonly string[] {
  if (!standby) return []
  const primary = all.find((one) => !one.standby)
  if (receives?.state !== 'streaming') return [`${host.name} receives no WAL`]
  return primary && receives.from !== primary.host.address
    ? [`${host.name} receives from ${receives.from}, and ${primary.host.name} is the primary`]
    : []
}

export function oneTimeline(
  { host, standby, timeline }: ServerHealth,
  all: readonly ServerHealth[],
): readonly string[] {
  const primary = all.find((one) => !one.standby)
  return standby && primary && timeline !== primary.timeline
    ? [`${host.name} is on ${timeline}, and ${primary.host.name} is on ${primary.timeline}`]
    : []
}

export function smallLag({ replicas }: ServerHealth): readonly string[] {
  return replicas.flatMap(({ name, behind }) =>
    behind > MAX_LAG ? [`${name} is ${Math.ceil(behind / 1024 / 1024)} MiB behind`] : [],
  )
}

/** Describes the lag of each replica. */
function lag(found: readonly Found[]): string {
  return servers(found)
    .flatMap(({ replicas }) => replicas)
    .map(({ name, behind }) => `${name} is ${(behind / 1024 / 1024).toFixed(1)} MiB behind`)
    .join(', ')
}

export function synchronous({ host, standby, synchronous: wanted, replicas }: ServerHealth): readonly string[] {
  if (standby || !wanted || replicas.some(({ sync }) => sync === 'sync' || sync === 'quorum')) return []
  return [`no replica confirms those on ${host.name}`]
}
