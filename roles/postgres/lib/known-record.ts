import { type HostAnswer, Problem } from 'provision-ts'
import type { Cluster, ClusterState } from './cluster-state.ts'
import type { Copy, PrimaryRecord } from './record.ts'

/** The newest record that hosts have, and how sure it is that there is no newer one. */
export interface Known {
  /** Undefined when no host that answers has one. */
  readonly record: PrimaryRecord | undefined
  /** True when more than half of the hosts that have a copy have answered: every newer record is on one of them. */
  readonly sure: boolean
  /** Hosts that should have a copy and gave none. */
  readonly silent: readonly string[]
  /** Hosts that answered. */
  readonly answered: readonly string[]
  /** True when two records have the same number: each was made without the other. */
  readonly split: boolean
}

/** For a site on which no host keeps records. */
export const NO_RECORD: Known = { record: undefined, sure: true, silent: [], answered: [], split: false }

/** @param found the answers of all hosts that may have a copy */
export function knownOf(found: readonly HostAnswer<Copy>[]): Known {
  const records = found.flatMap(({ answer }) => (answer?.kind === 'record' ? [answer.record] : []))
  const record = [...records].sort(newestFirst)[0]
  const all = found.map(({ host }) => host.name)
  const members = record ? all.filter((name) => record.hosts.includes(name)) : all
  const answered = found.flatMap(({ host, answer }) =>
    answer && answer.kind !== 'unreadable' ? [host.name] : [],
  )
  const silent = members.filter((name) => !answered.includes(name))
  const newest = records.filter(({ generation }) => generation === record?.generation)
  return {
    ...{ record, answered, silent, sure: silent.length * 2 < members.length },
    split: new Set(newest.map((one) => JSON.stringify(one))).size > 1,
  }
}

function newestFirst(a: PrimaryRecord, b: PrimaryRecord): number {
  return b.generation - a.generation || b.timeline - a.timeline || b.at.localeCompare(a.at)
}

/**
 * The record that holds. It is written before a promotion: when the host that was to be promoted is still a standby on an older timeline,
 * the promotion did not happen, and the record before it holds.
 */
export function recordInForce(
  record: PrimaryRecord | undefined,
  found: readonly HostAnswer<ClusterState>[],
): PrimaryRecord | undefined {
  if (!record) return undefined
  const there = found.find(({ host }) => host.name === record.primary)?.answer
  const isStandby = there?.kind === 'cluster' && there.standby && there.timeline < record.timeline
  if (!isStandby) return record
  return record.previous && { ...record.previous, generation: record.generation, log: record.log }
}

/** True for data that lack what another primary has written since, by the record. */
export function isOutdated(
  record: PrimaryRecord | undefined,
  host: string,
  { system, timeline }: Pick<Cluster, 'system' | 'timeline'>,
): boolean {
  if (!record || (system !== undefined && system !== record.system)) return false
  return host === record.primary ? timeline < record.timeline : timeline <= record.timeline
}

/** `db1 has been the primary on timeline 3 since 2026-01-31 12:00:00 UTC (failover)`. */
export function recordWords({ primary, timeline, since, event }: PrimaryRecord): string {
  const why = event === 'failover' || event === 'switchover' ? ` (${event})` : ''
  return `${primary} has been the primary on timeline ${timeline} since ${timeWords(since)}${why}`
}

export function timeWords(iso: string): string {
  return iso.replace(/T(\d\d:\d\d:\d\d).*/, ' $1 UTC')
}

/** Refuses a primary whose data are older than the record. */
export function outdated(
  host: string,
  { timeline }: Pick<Cluster, 'timeline'>,
  record: PrimaryRecord,
  details: readonly string[],
): Problem {
  const { primary } = record
  const since = timeWords(record.since)
  return new Problem(`${host} is a primary with old data: ${recordWords(record)}`, {
    details: [
      `${host} is on timeline ${timeline}. What ${primary} acknowledged since ${since} is not on ${host}, and would be lost.`,
      ...details,
    ],
    next: `Nothing was changed. Start ${primary}, then: provision rejoin --host ${host}. Only if ${primary} is lost for good: provision failover --to ${host} --accept-data-loss`,
  })
}

/** Words for an answer that could not be had; undefined when the newest record is known. */
export function unsureWords({ sure, silent }: Known): string | undefined {
  if (sure) return undefined
  return `${silent.join(', ')} did not answer, and may have a record of a later primary.`
}
