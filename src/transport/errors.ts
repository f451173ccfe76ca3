import { Problem, type ProblemParts } from '../model/problem.ts'
import type { Exit } from './transport.ts'

/** The cause of an {@link Unreachable}, for code; the message is for users. */
export type UnreachableReason =
  | 'address'
  | 'refused'
  | 'no-route'
  | 'timeout'
  /** The host closed the connection before the SSH greeting: too many logins at once, or a ban. Worth a retry. */
  | 'dropped'
  | 'lost'
  | 'protocol'
  | 'host-key'
  | 'authentication'
  /** Local configuration: ssh_config, or a jump host that leads back to itself. */
  | 'settings'

interface UnreachableParts extends ProblemParts {
  readonly reason: UnreachableReason
}

/** The host could not be reached or was lost. Its state is unknown, unlike after a failed step. */
export class Unreachable extends Problem {
  readonly reason: UnreachableReason

  constructor(what: string, { reason, ...parts }: UnreachableParts) {
    super(what, parts)
    this.reason = reason
  }
}

/** The connection or the shell on the host ended during a run. Scripts that were sent may or may not have run. */
export class ConnectionLost extends Unreachable {
  constructor(host: string, what: string, parts: ProblemParts = {}) {
    super(`lost ${host}: ${what}`, { reason: 'lost', ...parts })
  }
}

/** The error for a shell that ended after it was opened. */
export function sessionLost(host: string, { lost, code, signal }: Exit): ConnectionLost {
  if (lost !== undefined) return new ConnectionLost(host, lost)
  const how = signal ? `, killed by SIG${signal.replace(/^SIG/, '')}` : code === undefined ? '' : ` with ${code}`
  return new ConnectionLost(host, `its shell ended${how}`, { next: 'Run again: completed steps are not repeated' })
}

/** The host was reached but did not give a shell of root. */
export class BecomeFailed extends Problem {}

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

/** True for an operating system error with one of these codes, such as `ENOENT`. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  const code = errno(error)
  return code !== undefined && codes.includes(code)
}

/** The code of an operating system error. Node wraps several errors in one if it tried several addresses of a host. */
export function errno(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  return error instanceof AggregateError ? errno(error.errors[0]) : undefined
}
