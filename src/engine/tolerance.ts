import type { Host } from '../model/host.ts'
import { atLeastOne, batches, countOf, type Play } from '../model/play.ts'
import type { Act, Course } from './course.ts'
import { dueHandlers } from './handlers.ts'
import type { Member } from './member.ts'
import { areAtRest } from './rest.ts'
import type { Survey } from './survey.ts'

/** The hosts of a play that count as failed. One that cannot be reached does, unless the play says that it may be gone. */
export function failedOf(
  hosts: Iterable<Host>,
  play: Pick<Play, 'ignoreUnreachable'>,
  { members }: Pick<Course, 'members'>,
): readonly Host[] {
  return [...hosts].filter(({ name }) => {
    const member = members.get(name)
    return member ? member.problem !== undefined : !play.ignoreUnreachable
  })
}

/** Why these failures end the whole run; undefined when they do not. */
export function haltOf(
  { anyErrorsFatal, label }: Pick<Play, 'anyErrorsFatal' | 'label'>,
  failed: readonly Host[],
): string | undefined {
  if (!anyErrorsFatal || failed.length === 0) return undefined
  return `${namesOf(failed)} failed in "${label}", which ends the run`
}

/** How many hosts of a play are begun at a time: all, while all of them say that they serve nobody. */
export function paceOf(act: Act, course: Pick<Course, 'fleet'>): Pick<Play, 'serial' | 'maxUnavailable'> {
  return areAtRest(act, course) ? { serial: undefined, maxUnavailable: undefined } : act.play
}

/** How many hosts of a play may fail before no further ones are begun. */
export function mostFailures({ maxFailures, hosts }: Pick<Play, 'maxFailures' | 'hosts'>): number {
  return maxFailures === undefined ? hosts.length : countOf(maxFailures, hosts.length)
}

/** The hosts of a play that are begun when only these fail. */
export function begunOf(
  { hosts, serial, maxUnavailable, ...play }: Play,
  failedAmong: (hosts: readonly Host[]) => readonly Host[],
): readonly Host[] {
  const most = mostFailures({ ...play, hosts })
  const sizes = maxUnavailable === undefined ? serial : [atLeastOne(maxUnavailable, hosts.length), 1]
  const begun: Host[] = []
  for (const batch of batches(hosts, sizes)) {
    const failed = failedAmong(begun)
    if (failed.length > most || haltOf(play, failed) !== undefined) break
    begun.push(...batch)
  }
  return begun
}

/** Why further hosts are not begun. */
export function reasonOf(failed: readonly Host[], { fleet }: Pick<Course, 'fleet'>): string {
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

export function wouldChange({ examined }: Pick<Survey, 'examined'>, { owed }: Member): boolean {
  const steps = examined.map(({ placed }) => placed.step)
  return examined.some(({ difference }) => difference) || dueHandlers(steps, new Set(), owed).length > 0
}

export function namesOf(hosts: readonly Host[]): string {
  return hosts.map(({ name }) => name).join(', ')
}
