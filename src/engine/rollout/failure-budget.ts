import type { Host } from '../../model/inventory/host.ts'
import { atLeastOne, batches, countOf } from '../../model/playbook/batches.ts'
import type { Play } from '../../model/playbook/play.ts'
import type { Ask } from '../../model/resource/question.ts'
import { dueHandlers } from '../apply/handlers.ts'
import type { PlayRun, RunContext } from '../context.ts'
import type { HostRun } from '../hosts/host-run.ts'
import type { PlayState } from '../read/refresh.ts'

/** The hosts of a play that count as failed. One that cannot be reached does, unless the play says that it may be gone. */
export function failedHosts(
  hosts: Iterable<Host>,
  play: Pick<Play, 'ignoreUnreachable'>,
  { members }: Pick<RunContext, 'members'>,
): readonly Host[] {
  return [...hosts].filter(({ name }) => {
    const member = members.get(name)
    return member ? member.problem !== undefined : !play.ignoreUnreachable
  })
}

/** Why these failures end the whole run; undefined when they do not. */
export function fatalReason(
  { anyErrorsFatal, label }: Pick<Play, 'anyErrorsFatal' | 'label'>,
  failed: readonly Host[],
): string | undefined {
  if (!anyErrorsFatal || failed.length === 0) return undefined
  return `${namesOf(failed)} failed in "${label}", which ends the run`
}

/** How many hosts of a play are begun at a time: all, while all of them say that they serve nobody. */
export function batchingOf(
  act: PlayRun,
  course: Pick<RunContext, 'fleet'>,
): Pick<Play, 'serial' | 'maxUnavailable'> {
  return allIdle(act, course) ? { serial: undefined, maxUnavailable: undefined } : act.play
}

/** How many hosts of a play may fail before no further ones are begun. */
export function failureBudget({ maxFailures, hosts }: Pick<Play, 'maxFailures' | 'hosts'>): number {
  return maxFailures === undefined ? hosts.length : countOf(maxFailures, hosts.length)
}

/** The hosts of a play that are begun when only these fail. */
export function startedHosts(
  { hosts, serial, maxUnavailable, ...play }: Play,
  failedAmong: (hosts: readonly Host[]) => readonly Host[],
): readonly Host[] {
  const most = failureBudget({ ...play, hosts })
  const sizes = maxUnavailable === undefined ? serial : [atLeastOne(maxUnavailable, hosts.length), 1]
  const begun: Host[] = []
  for (const batch of batches(hosts, sizes)) {
    const failed = failedAmong(begun)
    if (failed.length > most || fatalReason(play, failed) !== undefined) break
    begun.push(...batch)
  }
  return begun
}

/** Why further hosts are not begun. */
export function skipReason(failed: readonly Host[], { fleet }: Pick<RunContext, 'fleet'>): string {
  const lost = failed.filter(({ name }) => fleet.unreachable.has(name))
  const others = failed.filter((host) => !lost.includes(host))
  const without = lost.map(({ name }) => `!${name}`).join(',')
  return [
    ...(others.length > 0 ? [`${namesOf(others)} failed in this play`] : []),
    ...(lost.length > 0
      ? [`${namesOf(lost)} cannot be reached (with --limit '${without}' that does not count)`]
      : []),
  ].join(', and ')
}

export function wouldChange({ examined }: Pick<PlayState, 'examined'>, { owed }: HostRun): boolean {
  const steps = examined.map(({ placed }) => placed.step)
  return examined.some(({ difference }) => difference) || dueHandlers(steps, new Set(), owed).length > 0
}

export function namesOf(hosts: readonly Host[]): string {
  return hosts.map(({ name }) => name).join(', ')
}

/** What a play asks its hosts to find out whether they serve anybody. */
export function idleAsks({ play: { isIdle }, hosts }: PlayRun): readonly Ask[] {
  return isIdle ? hosts.map((host) => ({ host, question: isIdle })) : []
}

/** Whether all hosts of a play serve nobody. One that was changed since it was asked, or never answered, may serve somebody. */
export function allIdle(act: PlayRun, { fleet: { answers } }: Pick<RunContext, 'fleet'>): boolean {
  const asks = idleAsks(act)
  return asks.length > 0 && asks.every((one) => answers.get(one) === true)
}
