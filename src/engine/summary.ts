import type { HostSummary, RunEvent, Summary } from '../model/event.ts'
import type { Host } from '../model/inventory/host.ts'
import { BecomeFailed } from '../transport/errors.ts'
import type { HostRun } from './hosts/host-run.ts'
import type { Hosts } from './hosts/hosts.ts'
import type { PlayRun } from './read/refresh.ts'

type Counts = Record<'ok' | 'changed' | 'tentative' | 'deferred' | 'allowed' | 'turns', number>

/** Counts the outcomes of a run by its events, for the summary. */
export class RunCounts {
  readonly #byHost = new Map<string, Counts>()

  add(event: RunEvent): void {
    if (event.kind === 'turnEnd') this.of(event.host).turns++
    if (event.kind !== 'step' || event.outcome === 'failed') return
    const counts = this.of(event.host)
    if (event.outcome === 'planned') {
      counts.changed++
      if (!event.known) counts.tentative++
    } else counts[event.outcome]++
  }

  of(host: string): Counts {
    const counts = this.#byHost.get(host) ?? { ok: 0, changed: 0, tentative: 0, deferred: 0, allowed: 0, turns: 0 }
    this.#byHost.set(host, counts)
    return counts
  }
}

export interface SummaryParts extends Pick<Summary, 'mode' | 'ms' | 'interrupted' | 'refused'> {
  readonly playRuns: readonly PlayRun[]
  readonly hosts: Hosts
  readonly hostRuns: ReadonlyMap<string, HostRun>
  /** Hosts that are not part of the run and run commands of drains. */
  readonly helpers: readonly HostRun[]
  readonly counts: RunCounts
  /** True if the run was stopped before it had read all hosts. @default false */
  readonly isIncomplete?: boolean
}

/** A helper is part of the summary only if it has failed. */
export function summaryOf(run: SummaryParts): Summary {
  const { mode, ms, interrupted, refused, hosts, hostRuns } = run
  const helpers = run.helpers.filter(({ name, problem }) => problem && !hostRuns.has(name))
  const byName = new Map([...helpers, ...hostRuns.values()].map((hostRun) => [hostRun.name, hostRun]))
  const all = [...hostsOf(run.playRuns), ...helpers.map(({ host }) => host)]
  return {
    mode,
    hosts: all.map((host) => hostSummary(host, byName.get(host.name), run)),
    ms,
    interrupted,
    ...(refused && { refused }),
    ...hosts.traffic,
  }
}

/** Each host of the plays once. */
export function hostsOf(playRuns: readonly PlayRun[]): readonly Host[] {
  return [...new Map(playRuns.flatMap(({ hosts }) => hosts.map((host) => [host.name, host]))).values()]
}

function hostSummary(host: Host, hostRun: HostRun | undefined, run: SummaryParts): HostSummary {
  const { name } = host
  const { mode, hosts, hostRuns, isIncomplete = false, refused = false } = run
  const plays = run.playRuns.filter(({ steps }) => steps.has(name))
  const { turns, allowed, ...counts } = run.counts.of(name)
  const ignored = hostRuns.size > 0 && !isIncomplete ? ignoredReason(host, plays) : undefined
  const excluded = hostRun ? hostRun.excluded : ignored
  const isLost = hosts.unreachable.has(name)
  const isRefused = hosts.unreachable.get(name) instanceof BecomeFailed
  const untaken = plays.filter(({ play }) => !play.conditions).length - turns
  const isUnstarted = refused && mode === 'apply'
  const takesPart = hostRun !== undefined && excluded === undefined
  return {
    host: name,
    ...counts,
    failed: isRefused || (hostRun?.problem && !isLost) ? 1 : 0,
    ...(allowed > 0 && { allowed }),
    unreachable: isLost && !isRefused && (hostRun !== undefined || ignored === undefined),
    skipped: isIncomplete ? Number(!isLost && !hostRun?.problem) : takesPart && !isUnstarted ? untaken : 0,
    ...(excluded !== undefined && { excluded }),
    trips: hostRun?.session.trips ?? 0,
  }
}

/** Returns the reason why none of its plays requires a host to be reachable; undefined if one does. */
function ignoredReason(host: Host, plays: readonly PlayRun[]): string | undefined {
  const reasons = plays.map(({ play }) => play.ignoreUnreachable?.(host))
  return reasons.includes(undefined) ? undefined : reasons[0]
}
