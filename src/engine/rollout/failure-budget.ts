import type { Host } from '../../model/inventory/host.ts'
import { countOf, playBatches } from '../../model/playbook/batches.ts'
import type { Play } from '../../model/playbook/play.ts'
import type { Ask } from '../../model/resource/question.ts'
import { dueHandlers } from '../apply/due-handlers.ts'
import type { RunContext } from '../context.ts'
import type { HostRun } from '../hosts/host-run.ts'
import type { PlayRun, PlayState } from '../read/refresh.ts'

/** The failed hosts of a play. A host that is not reachable counts, unless the play ignores that. */
export function failedHosts(
  hosts: Iterable<Host>,
  play: Pick<Play, 'ignoreUnreachable'>,
  { hostRuns }: Pick<RunContext, 'hostRuns'>,
): readonly Host[] {
  return [...hosts].filter(({ name }) => {
    const hostRun = hostRuns.get(name)
    return hostRun ? hostRun.problem !== undefined : !play.ignoreUnreachable
  })
}

/** Returns the reason why these failures end the run; undefined if they do not. */
export function fatalReason(
  { anyErrorsFatal, label }: Pick<Play, 'anyErrorsFatal' | 'label'>,
  failed: readonly Host[],
): string | undefined {
  if (!anyErrorsFatal || failed.length === 0) return undefined
  return `${namesOf(failed)} failed in "${label}", which ends the run`
}

/** The hosts of a play that start when only these fail. */
export function startedHosts(play: Play, failedAmong: (hosts: readonly Host[]) => readonly Host[]): readonly Host[] {
  const budget = failureBudget(play)
  const started: Host[] = []
  const failed: Host[] = []
  for (const batch of playBatches(play)) {
    if (failed.length > budget || fatalReason(play, failed) !== undefined) break
    started.push(...batch)
    failed.push(...failedAmong(batch))
  }
  return started
}

/** Returns the number of hosts of a play that may fail before no further hosts start. */
export function failureBudget({ maxFailures, hosts }: Pick<Play, 'maxFailures' | 'hosts'>): number {
  return maxFailures === undefined ? hosts.length : countOf(maxFailures, hosts.length)
}

/** Returns the reason why no further hosts start. */
export function skipReason(failed: readonly Host[], { hosts }: Pick<RunContext, 'hosts'>): string {
  const lost = failed.filter(({ name }) => hosts.unreachable.has(name))
  const others = failed.filter(({ name }) => !hosts.unreachable.has(name))
  const without = lost.map(({ name }) => `!${name}`).join(',')
  return [
    ...(others.length > 0 ? [`${namesOf(others)} failed in this play`] : []),
    ...(lost.length > 0 ? [`${namesOf(lost)} cannot be reached (with --limit '${without}' that does not count)`] : []),
  ].join(', and ')
}

/** The options of a play that do not apply to idle hosts. */
type Pace = Pick<Play, 'serial' | 'maxUnavailable' | 'drain'>

/** The batches and the drain of a play. If all hosts are idle there are none: all hosts start at once, and serve no requests. */
export function paceOf(playRun: PlayRun, { hosts: { answers } }: Pick<RunContext, 'hosts'>): Pace {
  const asks = idleAsks(playRun)
  // A host that has changed since, or did not answer, may serve traffic.
  const areIdle = asks.length > 0 && asks.every((one) => answers.get(one) === true)
  return areIdle ? { serial: undefined, maxUnavailable: undefined, drain: undefined } : playRun.play
}

/** Asks idle hosts again if one of them has something to change: services may have started since the plan. */
export async function currentPaceOf(playRun: PlayRun, context: RunContext): Promise<Pace> {
  const { hosts, hostRuns, states } = context
  const own = [...hostRuns.values()].filter(({ name }) => playRun.steps.has(name))
  const changes = (hostRun: HostRun) =>
    states.get(hostRun.name)?.some((one) => one.play === playRun.play && wouldChange(one, hostRun))
  if (paceOf(playRun, context) !== playRun.play && own.some((one) => one.version > 0 || changes(one))) {
    for (const one of idleAsks(playRun)) hosts.answers.drop(one)
    await hosts.ask(idleAsks(playRun))
  }
  return paceOf(playRun, context)
}

export function idleAsks({ play: { isIdle }, hosts }: PlayRun): readonly Ask[] {
  return isIdle ? hosts.map((host) => ({ host, question: isIdle })) : []
}

export function wouldChange({ steps }: Pick<PlayState, 'steps'>, { pendingHandlers }: HostRun): boolean {
  if (steps.some(({ difference }) => difference)) return true
  const all = steps.map(({ expanded }) => expanded.step)
  return dueHandlers(all, new Set(), pendingHandlers).length > 0
}

/** Runs the plays in order, until one of them halts the run. */
export async function eachPlay(
  playRuns: readonly PlayRun[],
  context: RunContext,
  runPlay: (playRun: PlayRun) => Promise<void>,
): Promise<void> {
  for (const [i, playRun] of playRuns.entries()) {
    await runPlay(playRun)
    if (context.halted === undefined) continue
    const { hostRuns, emit, halted: why } = context
    const left = playRuns.slice(i + 1).flatMap(({ hosts }) => hosts.map(({ name }) => name))
    const hosts = [...new Set(left)].filter((name) => {
      const hostRun = hostRuns.get(name)
      return hostRun && hostRun.excluded === undefined
    })
    if (hosts.length > 0) emit({ kind: 'skipped', play: 'the rest', hosts, why })
    return
  }
}

function namesOf(hosts: readonly Host[]): string {
  return hosts.map(({ name }) => name).join(', ')
}
