import type { Shell } from '../../shell/sh.ts'
import type { Group, Host } from '../inventory/host.ts'

/** Something to do on one host while another has its turn. */
export interface HostCommand {
  readonly host: Host
  readonly script: Shell
}

/** A bracket around the changes of a host, such as taking it out of the balancers' service. */
export interface Drain<H extends Host = Host> {
  readonly label: string
  readonly drain: (host: H) => readonly HostCommand[]
  readonly undrain: (host: H) => readonly HostCommand[]
  readonly ready: (host: H) => readonly HostCommand[]
  readonly onUnreachable: 'refuse' | 'ignore'
  readonly nothingToDo: number | undefined
}

export interface DrainOptions<H extends Host> {
  /** Before the host's first change. One that fails fails the host's turn before it has begun; what was entered is left again. @default nothing */
  readonly drain?: (host: H) => readonly HostCommand[]
  /**
   * Takes back what `enter` did: at the end of the host's turn, whatever has become of it. Before `enter` the script is noted on
   * the host that it is for, so that the next run can do it when this one is killed; it must not mind being run twice. @default nothing
   */
  readonly undrain?: (host: H) => readonly HostCommand[]
  /** What has to hold after a good turn before the next host begins. Each waits by itself, and ends. @default nothing */
  readonly ready?: (host: H) => readonly HostCommand[]
  /**
   * What a host that has something to do and cannot be reached means: `refuse` that the turn fails before it has begun, `ignore` that it
   * is not needed. @default 'refuse'
   */
  readonly onUnreachable?: 'refuse' | 'ignore'
  /**
   * The exit status, not 0, by which an `enter` says that there was nothing to do. Where all say so, the bracket is not opened, and
   * nothing is told of it. @default none
   */
  readonly nothingToDo?: number
}

/**
 * A bracket that is opened before a host's first change in a play, closed whatever happens, and never opened when nothing changes.
 * A host that is lost in its turn stays out, which the run tells, until a run finds it again.
 *
 * @param label what a host in the bracket is: `out of web`
 * @example drain('out of web', { drain: ({ name }) => runOnEach(balancers, sh`lb-drain ${name}`), undrain: ({ name }) => runOnEach(balancers, sh`lb-ready ${name}`) })
 */
export function drain<H extends Host>(
  label: string,
  {
    drain = () => [],
    undrain = () => [],
    ready = () => [],
    onUnreachable = 'refuse',
    nothingToDo,
  }: DrainOptions<H>,
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
