import { Busy, CommitUnknown, Lost, NoPrimary, Refused, Slow } from '../database/failures.ts'

export interface HttpProblemParts {
  readonly status: number
  /** For programs: stable, lower case with hyphens. */
  readonly code: string
  readonly headers?: Readonly<Record<string, string>>
}

/** An error for the client. The message contains the problem and the next action. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem'
  readonly status: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>

  constructor(message: string, { status, code, headers = {} }: HttpProblemParts) {
    super(message)
    this.status = status
    this.code = code
    this.headers = headers
  }
}

/** Converts any error into a response. Internal errors are sent without details: those are in the log. */
export function httpProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error
  if (error instanceof CommitUnknown)
    return unavailable(
      'unknown',
      'The connection to the database broke while the change was being committed: it may have happened or not. ' +
        'Sending the same request again is safe for DELETE, and for POST with the same idempotency-key.',
    )
  if (error instanceof NoPrimary)
    return unavailable('no-primary', 'No database takes writes at the moment. Nothing was changed: try again.')
  if (error instanceof Busy)
    return unavailable('busy', 'Too many requests wait for the database. Nothing was changed: try again.')
  if (error instanceof Slow || error instanceof Lost || error instanceof Refused)
    return unavailable('database', 'The database did not do it. Nothing was changed: try again.')
  return new HttpProblem('Something broke in this service. Its log has more under this request id.', {
    status: 500,
    code: 'internal',
  })
}

function unavailable(code: string, message: string): HttpProblem {
  return new HttpProblem(message, { status: 503, code, headers: { 'retry-after': '1' } })
}
