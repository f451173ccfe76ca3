import type { Host, HostAnswer } from 'provision-ts'
import type { ClusterState } from './cluster-state.ts'
import { isOutdated, type Known, validRecord } from './known-record.ts'
import type { PrimaryRecord, RecordEvent } from './record.ts'

/** Maximum number of log entries. */
const MAX_LOG = 20

interface Situation {
  readonly known: Known
  readonly states: readonly HostAnswer<ClusterState>[]
  readonly now: string
}

export interface Promotion extends Situation {
  readonly event: 'failover' | 'switchover' | 'restore'
  readonly to: Host
  readonly system: string
  /** The new timeline. */
  readonly timeline: number
  /** Hosts that may have been the primary and do not follow the new one immediately. */
  readonly behind: readonly Host[]
  /** Writes that may be lost. */
  readonly lost?: string
}

/** Returns the record of a promotion that is about to start. After a promotion commits wait for no replica. */
export function promotionRecord({ known, states, now, to, behind, ...event }: Promotion): PrimaryRecord {
  const before = validRecord(known.record, states)
  const previous = before && withoutPast(before)
  const others = (before?.behind ?? []).filter(({ host }) => behind.every(({ name }) => name !== host))
  return next(known, {
    ...event,
    ...{ format: 1, at: now, since: now, noReplicaSince: now, waitsFor: [] },
    ...{ primary: to.name, address: to.address, hosts: membersOf(known) },
    behind: [...others, ...behind.map(({ name }) => ({ host: name, since: now }))].filter(
      ({ host }) => host !== to.name,
    ),
    ...(previous && { previous }),
  })
}

function withoutPast({
  previous: _previous,
  log: _log,
  ...record
}: PrimaryRecord): Omit<PrimaryRecord, 'previous' | 'log'> {
  return record
}

interface Observation extends Situation {
  readonly primary: Host
  /** Replicas that a commit waits for; undefined if the primary did not answer. */
  readonly waitsFor: readonly string[] | undefined
}

/**
 * Returns the record of the present state, which is the known record if nothing changed. Undefined without a database, or if the primary
 * has older data than the record.
 */
export function observedRecord(observation: Observation): PrimaryRecord | undefined {
  const { known, states, primary, now } = observation
  const found = states.find(({ host }) => host.name === primary.name)?.answer
  if (found?.kind !== 'cluster' || found.system === undefined) return undefined
  const before = validRecord(known.record, states)
  if (isOutdated(before, primary.name, found)) return undefined
  const same =
    before?.system === found.system && before.primary === primary.name && before.timeline === found.timeline
      ? before
      : undefined
  const waitsFor = observation.waitsFor ?? same?.waitsFor ?? []
  const behind = (before?.behind ?? []).filter(({ host }) => !follows(host, found.timeline, states))
  const hosts = membersOf(known)
  const event = eventOf(same, { waitsFor, behind: behind.length, hosts })
  // The newest copies may have a promotion that did not happen.
  if (event === undefined && before === known.record && !known.split) return known.record
  return next(known, {
    ...{ format: 1, at: now, event: event ?? 'found', system: found.system, timeline: found.timeline },
    ...{ primary: primary.name, address: primary.address, since: same?.since ?? now },
    ...{ waitsFor, behind: behind.filter(({ host }) => host !== primary.name), hosts },
    ...(waitsFor.length === 0 && {
      noReplicaSince: (same?.waitsFor.length === 0 && same.noReplicaSince) || now,
    }),
  })
}

/** Returns the record to write before commits stop waiting for a replica. */
export function noReplicaRecord(observation: Omit<Observation, 'waitsFor'>): PrimaryRecord | undefined {
  return observedRecord({ ...observation, waitsFor: [] })
}

interface Parts {
  readonly waitsFor: readonly string[]
  readonly behind: number
  readonly hosts: readonly string[]
}

function eventOf(before: PrimaryRecord | undefined, { waitsFor, behind, hosts }: Parts): RecordEvent | undefined {
  if (!before) return 'found'
  if (behind < before.behind.length) return 'rejoin'
  if (!equal(waitsFor, before.waitsFor)) return waitsFor.length > 0 ? 'replication on' : 'replication off'
  return equal(hosts, before.hosts) ? undefined : 'hosts changed'
}

function next(known: Known, record: Omit<PrimaryRecord, 'generation' | 'log'>): PrimaryRecord {
  const { event, at, primary, timeline } = record
  const log = [{ at, event, primary, timeline }, ...(known.record?.log ?? [])].slice(0, MAX_LOG)
  const { previous, ...fields } = record
  return { ...fields, generation: (known.record?.generation ?? 0) + 1, log, ...(previous && { previous }) }
}

/** A host that does not answer stays in the list. It leaves with the inventory. */
function membersOf({ answered, silent, record }: Known): readonly string[] {
  const stay = record?.hosts.filter((name) => silent.includes(name)) ?? []
  return [...new Set([...answered, ...stay])].sort()
}

function follows(host: string, timeline: number, states: readonly HostAnswer<ClusterState>[]): boolean {
  const there = states.find((one) => one.host.name === host)?.answer
  return there?.kind === 'cluster' && there.standby && there.running && there.timeline === timeline
}

function equal(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i])
}
