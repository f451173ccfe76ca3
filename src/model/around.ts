import type { Shell } from '../shell/sh.ts'
import type { Host } from './host.ts'

/** Something to do on one host while another has its turn. */
export interface Errand {
  readonly host: Host
  readonly script: Shell
}

/** A bracket around the changes of a host, such as taking it out of the balancers' service. */
export interface Around<H extends Host = Host> {
  readonly label: string
  readonly enter: (host: H) => readonly Errand[]
  readonly leave: (host: H) => readonly Errand[]
  readonly settled: (host: H) => readonly Errand[]
  readonly lost: 'refuse' | 'ignore'
  readonly idle: number | undefined
}

export interface AroundOptions<H extends Host> {
  /** Before the host's first change. One that fails fails the host's turn before it has begun; what was entered is left again. @default nothing */
  readonly enter?: (host: H) => readonly Errand[]
  /**
   * Takes back what `enter` did: at the end of the host's turn, whatever has become of it. Before `enter` the script is noted on
   * the host that it is for, so that the next run can do it when this one is killed; it must not mind being run twice. @default nothing
   */
  readonly leave?: (host: H) => readonly Errand[]
  /** What has to hold after a good turn before the next host begins. Each waits by itself, and ends. @default nothing */
  readonly settled?: (host: H) => readonly Errand[]
  /**
   * What a host that has something to do and cannot be reached means: `refuse` that the turn fails before it has begun, `ignore` that it
   * is not needed. @default 'refuse'
   */
  readonly lost?: 'refuse' | 'ignore'
  /**
   * The exit status, not 0, by which an `enter` says that there was nothing to do. Where all say so, the bracket is not opened, and
   * nothing is told of it. @default none
   */
  readonly idle?: number
}

/**
 * A bracket that is opened before a host's first change in a play, closed whatever happens, and never opened when nothing changes.
 * A host that is lost in its turn stays out, which the run tells, until a run finds it again.
 *
 * @param label what a host in the bracket is: `out of web`
 * @example around('out of web', { enter: ({ name }) => each(balancers, sh`lb-drain ${name}`), leave: ({ name }) => each(balancers, sh`lb-ready ${name}`) })
 */
export function around<H extends Host>(
  label: string,
  { enter = () => [], leave = () => [], settled = () => [], lost = 'refuse', idle }: AroundOptions<H>,
): Around<H> {
  return Object.freeze({ label, enter, leave, settled, lost, idle })
}
