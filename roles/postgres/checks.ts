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

/** Bytes that a replica may be behind: a segment of WAL. */
const NEAR = 16 * 1024 * 1024

/** Checks of a primary and its replicas, whichever host is which. */
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
      expect('its database answers', askHost(host, health), (answer) =>
        answer instanceof Problem ? answer : undefined,
      ),
    ]),
    expect('one of them is the primary', all, onePrimary, {
      says: (found) => `${primariesIn(found)[0]?.host.name} is the primary`,
    }),
    expect('the primary sees each replica of the inventory', all, seesAll, { next }),
    every('each replica streams from the primary', streams),
    every('all are on one timeline', oneTimeline),
    expect('no replica is more than 16 MiB behind', all, judged(near), { next, says: lag }),
    every('a replica confirms commits that wait for one', synchronous),
    every(
      'no replication slot has lost its WAL',
      ({ host, lost }) => lost.map((slot) => `${slot} on ${host.name} has`),
      {
        next: 'Run the playbook: it makes the slot anew. The replica needs a new copy when it cannot go on.',
      },
    ),
    every(
      'no setting waits for a restart',
      ({ host, pending }) => pending.map((name) => `${name} on ${host.name} does`),
      {},
    ),
  ]
}

type Wrong = (one: ServerHealth, all: readonly ServerHealth[]) => readonly string[]

/** Wrong as soon as one server tells something wrong; otherwise unknown until all of them answer. */
export function judged(wrong: Wrong) {
  return (found: readonly Found[]): string | Unknown | undefined => {
    const all = told(found)
    const faults = all.flatMap((one) => wrong(one, all))
    return faults.length > 0 ? faults.join('; ') : unanswered(found)
  }
}

/**
 * A host that is not known to be a primary may be one: so all other hosts have to answer, or to be seen as a replica by the one that does.
 */
export function onePrimary(found: readonly Found[]): Problem | undefined {
  const [primary, another] = primariesIn(found)
  const silent = unanswered(found)
  // What it says of two primaries, or none, is what each run says.
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

/** A replica that is frozen or lost is missing here, also when it could not be asked itself. */
export function seesAll(found: readonly Found[]): string | Unknown | undefined {
  const [primary] = primariesIn(found)
  if (!primary) return unanswered(found) ?? new Unknown('no host is the primary')
  const seen = primary.replicas.map(({ name }) => name)
  const missing = found.flatMap(({ host }) =>
    host.name === primary.host.name || seen.includes(host.name) ? [] : [host.name],
  )
  return missing.length > 0 ? `${primary.host.name} does not see ${missing.join(', ')}` : undefined
}

function primariesIn(found: readonly Found[]): readonly ServerHealth[] {
  return told(found).filter(({ standby }) => !standby)
}

function told(found: readonly Found[]): readonly ServerHealth[] {
  return found.flatMap(({ host, answer }) =>
    answer && !(answer instanceof Problem) ? [{ host, ...answer }] : [],
  )
}

function silentHosts(found: readonly Found[]): readonly string[] {
  return found.flatMap(({ host, answer }) => (!answer || answer instanceof Problem ? [host.name] : []))
}

function unanswered(found: readonly Found[]): Unknown | undefined {
  const silent = silentHosts(found)
  return silent.length === 0 ? undefined : new Unknown(`no answer from ${silent.join(', ')}`)
}

export function streams(
  { host, standby, receives }: ServerHealth,
  all: readonly ServerHealth[],
): readonly string[] {
  if (!standby) return []
  const primary = all.find((one) => !one.standby)
  if (receives?.state !== 'streaming') return [`${host.name} receives nothing`]
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

export function near({ replicas }: ServerHealth): readonly string[] {
  return replicas.flatMap(({ name, behind }) =>
    behind > NEAR ? [`${name} is ${Math.ceil(behind / 1024 / 1024)} MiB behind`] : [],
  )
}

/** The distance of each replica, in words. */
function lag(found: readonly Found[]): string {
  return told(found)
    .flatMap(({ replicas }) => replicas)
    .map(({ name, behind }) => `${name} is ${(behind / 1024 / 1024).toFixed(1)} MiB behind`)
    .join(', ')
}

export function synchronous({
  host,
  standby,
  synchronous: wanted,
  replicas,
}: ServerHealth): readonly string[] {
  if (standby || !wanted || replicas.some(({ sync }) => sync === 'sync' || sync === 'quorum')) return []
  return [`none confirms those on ${host.name}`]
}
