import { Problem } from './problem.ts'

/**
 * An answer that could not be read: the host did not give it, or not in time. It means neither yes nor no, so a check that gets one
 * has not failed.
 *
 * @example
 * expect('one host is the primary', askEach(db, isPrimary), (all) =>
 *   all.some(({ answer }) => answer) ? undefined : new Unknown('none that answers is'))
 */
export class Unknown extends Problem {}
