import {
  type Answered,
  ask,
  type Check,
  type Derived,
  derive,
  each,
  expect,
  type Group,
  type Host,
  type Question,
} from 'provision-ts'
import { runs } from '../base/checks.ts'
import { primaryOf } from './cluster.ts'
import { row } from './psql.ts'

/** What a database host says of itself and of its replicas. */
export interface Health {
  readonly standby: boolean
  readonly timeline: number
  /** Of a replica: what it receives, and from which address. */
  readonly receives: { readonly state: string; readonly from: string | null } | null
  /** Whether commits are meant to wait for a replica. */
  readonly synchronous: boolean
  readonly replicas: readonly {
    readonly name: string
    readonly state: string
    readonly sync: string
    /** Bytes of WAL that it has not put into its tables yet. */
    readonly behind: number
  }[]
  /** Replication slots whose WAL is gone, or about to go. */
  readonly lost: readonly string[]
  /** Settings that wait for a restart. */
  readonly pending: readonly string[]
}

const health: Question<Health | undefined> = ask(
  'how its database is',
  row<Health>(`
    select pg_is_in_recovery() as standby,
      case when pg_is_in_recovery() then (select received_tli from pg_stat_wal_receiver)
        else ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int end as timeline,
      (select jsonb_build_object('state', status, 'from', sender_host) from pg_stat_wal_receiver) as receives,
      current_setting('synchronous_standby_names') <> '' or coalesce(current_setting('provision.synchronous', true), '') = 'on' as synchronous,
      case when pg_is_in_recovery() then '[]' else coalesce((select jsonb_agg(jsonb_build_object('name', application_name,
        'state', state, 'sync', sync_state, 'behind', coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn), 0)))
        from pg_stat_replication where application_name <> 'pg_basebackup'), '[]') end as replicas,
      coalesce((select jsonb_agg(slot_name) from pg_replication_slots where wal_status in ('lost', 'unreserved')), '[]') as lost,
      coalesce((select jsonb_agg(name) from pg_settings where pending_restart), '[]') as pending`),
)

type DatabaseHosts = Group<Host<{ readonly seed: boolean }>>

/** Bytes that a replica may be behind: a segment of WAL. */
const NEAR = 16 * 1024 * 1024

/** What holds of a primary and its replicas, whoever is which. */
export function postgresChecks(db: DatabaseHosts): readonly Check[] {
  const all = each(db, health)
  const next = 'See the logs below /var/log/postgresql on both hosts.'
  return [
    ...db.hosts.map((host) => runs(host, 'postgresql@*-main.service', 'postgresql')),
    expect('one of them is the primary', primaryOf(db), () => undefined, {
      says: ({ name }) => `${name} is the primary`,
    }),
    expect('each replica streams from the primary', of(all, streams), first, { next }),
    expect('all are on one timeline', of(all, oneTimeline), first, { next }),
    expect('no replica is more than 16 MiB behind', told(all), (each) => first(each.flatMap(near)), {
      next,
      says: lag,
    }),
    expect('commits wait for a replica, if they are to', of(all, synchronous), first, { next }),
    expect(
      'no replication slot has lost its WAL',
      of(all, ({ host, lost }) => lost.map((slot) => `${slot} on ${host.name} has`)),
      first,
      {
        next: 'Run the playbook: it makes the slot anew. The replica needs a new copy when it cannot go on.',
      },
    ),
    expect(
      'no setting waits for a restart',
      of(all, ({ host, pending }) => pending.map((name) => `${name} on ${host.name} does`)),
      first,
    ),
  ]
}

export type Told = Health & { readonly host: Host }

/** What is wrong with each host that has a database that answers. One that has none is found by other checks. */
function of(
  all: Derived<readonly Answered<Health | undefined>[]>,
  wrong: (one: Told, all: readonly Told[]) => readonly string[],
): Derived<readonly string[]> {
  return derive(told(all), (each) => each.flatMap((one) => wrong(one, each)))
}

function told(all: Derived<readonly Answered<Health | undefined>[]>): Derived<readonly Told[]> {
  return derive(all, (found) => found.flatMap(({ host, answer }) => (answer ? [{ host, ...answer }] : [])))
}

function first(wrong: readonly string[]): string | undefined {
  return wrong.length === 0 ? undefined : wrong.join('; ')
}

export function streams({ host, standby, receives }: Told, all: readonly Told[]): readonly string[] {
  if (!standby) return []
  const primary = all.find((one) => !one.standby)
  if (receives?.state !== 'streaming') return [`${host.name} receives nothing`]
  return primary && receives.from !== primary.host.address
    ? [`${host.name} receives from ${receives.from}, and ${primary.host.name} is the primary`]
    : []
}

export function oneTimeline({ host, standby, timeline }: Told, all: readonly Told[]): readonly string[] {
  const primary = all.find((one) => !one.standby)
  return standby && primary && timeline !== primary.timeline
    ? [`${host.name} is on ${timeline}, and ${primary.host.name} is on ${primary.timeline}`]
    : []
}

export function near({ replicas }: Told): readonly string[] {
  return replicas.flatMap(({ name, behind }) =>
    behind > NEAR ? [`${name} is ${Math.ceil(behind / 1024 / 1024)} MiB behind`] : [],
  )
}

/** How far each replica is behind, in words. */
function lag(all: readonly Told[]): string {
  return all
    .flatMap(({ replicas }) => replicas)
    .map(({ name, behind }) => `${name} is ${(behind / 1024 / 1024).toFixed(1)} MiB behind`)
    .join(', ')
}

export function synchronous({ host, standby, synchronous: wanted, replicas }: Told): readonly string[] {
  if (standby || !wanted || replicas.some(({ sync }) => sync === 'sync' || sync === 'quorum')) return []
  return [`those on ${host.name} do not`]
}
