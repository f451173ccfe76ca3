import { Problem, type ProblemParts } from '../model/problem.ts'
import type { Exit } from './transport.ts'

/** Why a host could not be reached, for those who decide what to do about it; the words are for people. */
export type UnreachableReason =
  | 'address'
  | 'refused'
  | 'no-route'
  | 'timeout'
  /** The other side hung up before it said who it is: too many logins at once, or a ban. Worth another try. */
  | 'dropped'
  | 'lost'
  | 'protocol'
  | 'host-key'
  | 'authentication'
  /** Our own side: ssh_config, a jump that leads back to itself. */
  | 'settings'

export interface UnreachableParts extends ProblemParts {
  readonly reason: UnreachableReason
}

/** We could not get to a host, or lost it: nothing is known about the state it is in, unlike after a step that failed. */
export class Unreachable extends Problem {
  readonly reason: UnreachableReason

  constructor(what: string, { reason, ...parts }: UnreachableParts) {
    super(what, parts)
    this.reason = reason
  }
}

/** The host, or our shell on it, went away while we needed it: what was on its way may have happened or not. */
export class ConnectionLost extends Unreachable {
  constructor(host: string, what: string, parts: ProblemParts = {}) {
    super(`lost ${host}: ${what}`, { reason: 'lost', ...parts })
  }
}

/** How a shell ended that had been there. */
export function sessionLost(host: string, { lost, code, signal }: Exit): ConnectionLost {
  if (lost !== undefined) return new ConnectionLost(host, lost)
  const how = signal
    ? `, killed by SIG${signal.replace(/^SIG/, '')}`
    : code === undefined
      ? ''
      : ` with ${code}`
  return new ConnectionLost(host, `its shell ended${how}`, {
    next: 'Run again: what was done is not done twice',
  })
}

/** The run was stopped before the host was connected. */
export class Stopped extends Problem {
  constructor() {
    super('The run was stopped before the host was connected')
  }
}

/** @throws Stopped */
export function throwIfStopped(stop: AbortSignal | undefined): void {
  if (stop?.aborted) throw new Stopped()
}

/** The host was reached, but did not give a shell of the wanted user. */
export class BecomeFailed extends Problem {}

/** Whether it is the operating system's error of one of these names, such as `ENOENT`. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  const code = errno(error)
  return code !== undefined && codes.includes(code)
}

/** The name of the operating system's error. Node puts several in one when it tried several addresses of a host. */
export function errno(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  return error instanceof AggregateError ? errno(error.errors[0]) : undefined
}
