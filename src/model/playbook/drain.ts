import type { Shell } from '../../shell/sh.ts'
import type { Group, Host } from '../inventory/host.ts'

/** A command on one host during the turn of another. */
export interface HostCommand {
  readonly host: Host
  readonly script: Shell
}

/** Commands on other hosts around the changes of a host, such as taking it out of the load balancers. */
export interface Drain<H extends Host = Host> {
  readonly label: string
  readonly drain: (host: H) => readonly HostCommand[]
  readonly undrain: (host: H) => readonly HostCommand[]
  readonly ready: (host: H) => readonly HostCommand[]
  readonly onUnreachable: 'refuse' | 'ignore'
  readonly nothingToDo: number | undefined
}

export interface DrainOptions<H extends Host> {
  /**
   * Runs before the host's first change. If a command fails, the host is undrained, and its turn fails before it has changed anything.
   * @default nothing
   */
  readonly drain?: (host: H) => readonly HostCommand[]
  /**
   * Reverts `drain` at the end of the host's turn, after a failure, too. Its commands are recorded on the hosts that run them before
   * `drain` runs, so that the next run can undrain the host if this one is killed. They must be idempotent.
   * @default nothing
   */
  readonly undrain?: (host: H) => readonly HostCommand[]
  /**
   * Waits until the host is ready after a successful turn, before the next host starts. Each command must wait by itself, and end.
   * @default nothing
   */
  readonly ready?: (host: H) => readonly HostCommand[]
  /**
   * The effect of an unreachable host that has commands to run: with `refuse` the turn fails before it starts, with `ignore` its commands
   * are left out.
   * @default 'refuse'
   */
  readonly onUnreachable?: 'refuse' | 'ignore'
  /**
   * The exit status, not 0, with which a command of `drain` reports that there was nothing to do. If all report it, no events are emitted,
   * and `ready` does not run.
   * @default none
   */
  readonly nothingToDo?: number
}

/**
 * Drains a host before its first change in a play, and undrains it at the end of its turn in any case. Without changes it does nothing. A
 * host that is lost during its turn stays drained, which the run reports, until a later run undrains it.
 *
 * @param label the service that a drained host leaves: `backend web`
 * @example drain('backend web', { drain: ({ name }) => runOnEach(balancers, sh`lb-drain ${name}`), undrain: ({ name }) => runOnEach(balancers, sh`lb-ready ${name}`) })
 */
export function drain<H extends Host>(
  label: string,
  { drain = () => [], undrain = () => [], ready = () => [], onUnreachable = 'refuse', nothingToDo }: DrainOptions<H>,
): Drain<H> {
  return Object.freeze({ label, drain, undrain, ready, onUnreachable, nothingToDo })
}

/** A command on one host, for {@link drain}. @example runOn(db1, sh`touch /run/drained`) */
export function runOn(host: Host, script: Shell): HostCommand {
  return { host, script }
}

/** A command on each host of a group, for {@link drain}. @example runOnEach(balancers, sh`touch /run/drained`) */
export function runOnEach({ hosts }: Pick<Group, 'hosts'>, script: Shell): readonly HostCommand[] {
  return hosts.map((host) => ({ host, script }))
}
