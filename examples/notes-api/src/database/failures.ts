/** The server answered a statement or the login with an error. */
export class Refused extends Error {
  override readonly name = 'Refused'
  /** SQLSTATE, five characters. */
  readonly code: string
  /** The server closed the session with this answer. */
  readonly fatal: boolean

  constructor(message: string, { code, fatal }: { readonly code: string; readonly fatal: boolean }) {
    super(message)
    this.code = code
    this.fatal = fatal
  }
}

/** No answer: the connection was refused or it broke. */
export class Lost extends Error {
  override readonly name = 'Lost'
}

/** No answer in time: the connection was closed. */
export class Slow extends Error {
  override readonly name = 'Slow'
}

/** No host accepts writes at the moment. The message contains the answer of each host. */
export class NoPrimary extends Error {
  override readonly name = 'NoPrimary'
}

/** More requests wait for a connection than can be served in time. */
export class Busy extends Error {
  override readonly name = 'Busy'
}

/** COMMIT was sent and no answer came: the transaction may be committed. */
export class CommitUnknown extends Error {
  override readonly name = 'CommitUnknown'
}

/** True if the error means that the host in use is not, or no longer, a reachable primary. */
export function primaryIsGone(error: unknown): boolean {
  if (error instanceof Refused) return error.code.startsWith('08') || goneCodes.has(error.code)
  return error instanceof Lost
}

/** True if the error ended the session, so that ROLLBACK cannot be sent. */
export function hasEnded(error: unknown): boolean {
  const reason = error instanceof CommitUnknown ? error.cause : error
  return reason instanceof Lost || reason instanceof Slow || (reason instanceof Refused && reason.fatal)
}

/** True if the transaction did not commit and a retry may succeed. */
export function isPassing(error: unknown): boolean {
  if (error instanceof Refused) return primaryIsGone(error) || passingCodes.has(error.code)
  return error instanceof Lost || error instanceof NoPrimary
}

// admin_shutdown, crash_shutdown, cannot_connect_now (starting up or stopping), read_only_sql_transaction
const goneCodes = new Set(['57P01', '57P02', '57P03', '25006'])
// serialization_failure, deadlock_detected, too_many_connections
const passingCodes = new Set(['40001', '40P01', '53300'])
