import { type Source, thrownAt } from './source.ts'

/** The parts of a {@link Problem} besides its first sentence. */
export interface ProblemParts {
  /** The place of the error in the user's files: `inventory/prod.ts:12:5`, or a path of values: `web.hosts.web3.workers`. */
  readonly where?: string | Source
  /** Lines of evidence: a command's last output, two fingerprints, an excerpt. */
  readonly details?: readonly string[]
  /** The next step for the operator, as a sentence or a command. */
  readonly next?: string
  readonly cause?: unknown
}

/**
 * An error that the user can fix. It is shown in full and without a stack trace; any other error is a bug in provision.
 *
 * @example throw new Problem('The disk is too small', { details: ['20 GB are there'], next: 'Give the host 50 GB.' })
 */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly where: string | Source | undefined
  readonly details: readonly string[]
  readonly next: string | undefined

  constructor(what: string, { where, details = [], next, cause }: ProblemParts = {}) {
    super(what, cause === undefined ? undefined : { cause })
    this.where = where
    this.details = details
    this.next = next
  }
}

/**
 * An error that prevents the start of a run: invalid params, or a release of Debian that a role does not support. No host is changed.
 *
 * @example throw new InvalidParams('A listener needs a port or a socket', { where: 'listen' })
 */
export class InvalidParams extends Problem {
  /** The systems of hosts that would be accepted: `debian 12`. Empty if the system is not the reason. */
  readonly systems: readonly string[]

  constructor(what: string, { systems = [], ...parts }: ProblemParts & { readonly systems?: readonly string[] } = {}) {
    super(what, parts)
    this.systems = systems
  }
}

/** The same error with its place: the host, the play or the role. */
export function locate(what: string, { message, where, details, next, cause, systems }: InvalidParams): InvalidParams {
  const place = typeof where === 'string' ? `${what}, ${where}` : (where ?? what)
  return new InvalidParams(message, { where: place, details, ...(next && { next }), cause, systems })
}

/** Runs code of the user. @throws Problem with the place of the error */
export function wrapErrors<T>(what: string, source: Source | undefined, body: () => T): T {
  try {
    return body()
  } catch (error) {
    if (error instanceof InvalidParams) throw locate(what, error)
    if (error instanceof Problem) throw error
    const where = thrownAt(error) ?? source
    throw new Problem(`${what}: ${error instanceof Error ? error.message : String(error)}`, {
      ...(where && { where }),
      cause: error,
    })
  }
}

/**
 * An answer that could not be read: the host did not give it, or not in time. It means neither yes nor no, so a check that gets one
 * has not failed.
 *
 * @example
 * expect('one host is the primary', askEach(db, isPrimary), (all) =>
 *   all.some(({ answer }) => answer) ? undefined : new Unknown('none that answers is'))
 */
export class Unknown extends Problem {}
