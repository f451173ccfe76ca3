import { type HostAnswer, Problem } from 'provision-ts'
import type { Cluster, ClusterState } from './cluster-state.ts'
import type { Copy, PrimaryRecord } from './record.ts'

/** The newest record on the hosts that answered. */
export interface Known {
  /** Undefined if no host that answered has a record. */
  readonly record: PrimaryRecord | undefined
  /** True if more than half of the hosts with a copy answered. Then there is no newer record. */
  readonly sure: boolean
  /** Hosts that should have a copy and returned none. */
  readonly silent: readonly string[]
  /** Hosts that answered. */
  readonly answered: readonly string[]
  /** True if two different records have the same generation: each was written without the other. */
  readonly split: boolean
}

/** A site without records. */
export const NO_RECORD: Known = { record: undefined, sure: true, silent: [], answered: [], split: false }

/** Finds the newest record. @param found the answers of all hosts that may have a copy */
export function newestRecord(found: readonly HostAnswer<Copy>[]): Known {
  const records = found.flatMap(({ answer }) => (answer?.kind === 'record' ? [answer.record] : []))
  const record = [...records].sort(newestFirst)[0]
  const all = found.map(({ host }) => host.name)
  const members = record ? all.filter((name) => record.hosts.includes(name)) : all
  const answered = found.flatMap(({ host, answer }) => (answer && answer.kind !== 'unreadable' ? [host.name] : []))
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
 * Returns the valid record. A record is written before the promotion: if the host is still a standby on an older timeline, the promotion did
 * not happen, and the previous record is valid.
 */
export function validRecord(
  record: PrimaryRecord | undefined,
  found: readonly HostAnswer<ClusterState>[],
): PrimaryRecord | undefined {
  if (!record) return undefined
  const state = found.find(({ host }) => host.name === record.primary)?.answer
  const isStandby = state?.kind === 'cluster' && state.standby && state.timeline < record.timeline
  if (!isStandby) return record
  return record.previous && { ...record.previous, generation: record.generation, log: record.log }
}

/** True if the record shows that another primary has written later data. */
export function isOutdated(
  record: PrimaryRecord | undefined,
  host: string,
  { system, timeline }: Pick<Cluster, 'system' | 'timeline'>,
): boolean {
  if (!record || (system !== undefined && system !== record.system)) return false
  return host === record.primary ? timeline < record.timeline : timeline <= record.timeline
}

/** `db1 has been the primary on timeline 3 since 2026-01-31 12:00:00 UTC (failover)`. */
export function describeRecord({ primary, timeline, since, event }: PrimaryRecord): string {
  const why = event === 'failover' || event === 'switchover' ? ` (${event})` : ''
  return `${primary} has been the primary on timeline ${timeline} since ${formatTime(since)}${why}`
}

export function formatTime(iso: string): string {
  return iso.replace(/T(\d\d:\d\d:\d\d).*/, ' $1 UTC')
}

/** The problem of a primary with older data than the record. */
export function outdatedProblem(
  host: string,
  { timeline }: Pick<Cluster, 'timeline'>,
  record: PrimaryRecord,
  details: readonly string[],
): Problem {
  const { primary } = record
  const since = formatTime(record.since)
  return new Problem(`${host} is a primary with old data: ${describeRecord(record)}`, {
    details: [
      `${host} is on timeline ${timeline}. Writes on ${primary} since ${since} are not on ${host}, and would be lost.`,
      ...details,
    ],
    next: `Nothing was changed. Start ${primary}, then: provision rejoin --host ${host}. Only if ${primary} is lost permanently: provision failover --to ${host} --accept-data-loss`,
  })
}

/** Returns the reason why there may be a newer record; undefined if there is none. */
export function uncertainty({ sure, silent }: Known): string | undefined {
  if (sure) return undefined
  return `${silent.join(', ')} did not answer, and may have a record of a later primary.`
}
