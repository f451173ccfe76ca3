/** The parts of a {@link Problem} beside its first sentence. */
export interface ProblemParts {
  /** Where the user's own text is at fault: `inventory/prod.ts:12:5`, or a path of values: `web.hosts.web3.workers`. */
  readonly where?: string
  /** Lines of evidence: a command's last output, two fingerprints, an excerpt. */
  readonly details?: readonly string[]
  /** What to do next, as a sentence or a command. */
  readonly next?: string
  readonly cause?: unknown
}

/** Something that a person can mend. It is shown whole and without a stack trace; any other error is our mistake. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly where: string | undefined
  readonly details: readonly string[]
  readonly next: string | undefined

  constructor(what: string, { where, details = [], next, cause }: ProblemParts = {}) {
    super(what, cause === undefined ? undefined : { cause })
    this.where = where
    this.details = details
    this.next = next
  }
}
