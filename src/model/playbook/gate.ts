import type { Group, Host } from '../inventory/host.ts'
import type { Problem } from '../problem.ts'
import type { Answers } from '../resource/question.ts'
import { type Play, type PlayOptions, play } from './play.ts'

/**
 * A play without steps that stops the run before later plays change anything: when one of its hosts has failed or is not reachable, or
 * when a condition returns a Problem.
 *
 * @param hosts those that must be reachable and must not have failed; with `ignoreUnreachable` as in a play
 * @param conditions are evaluated with the answers at this point of the run; false and undefined are left out
 * @example
 * gate('there is a primary', db, mapAnswers(askEach(db, isPrimary), (all) =>
 *   all.some(({ answer }) => answer) ? undefined : new Problem('No database host is the primary.')))
 */
export function gate(
  label: string,
  hosts: Pick<Group, 'hosts'> & Pick<PlayOptions<Host>, 'ignoreUnreachable'>,
  ...conditions: readonly (Answers<Problem | undefined> | false | undefined)[]
): Play {
  const { ignoreUnreachable } = hosts
  return Object.freeze({
    ...play(label, { hosts, anyErrorsFatal: true, ...(ignoreUnreachable && { ignoreUnreachable }) }, () => []),
    conditions: conditions.filter((one) => one !== false && one !== undefined),
  })
}
