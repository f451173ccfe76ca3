import { type Check, type Checks, flatChecks } from './check.ts'
import type { Problem } from './problem.ts'
import type { Entries, Stack, StackValues } from './stack.ts'

/** What holds in a healthy site. */
export interface Verification<S extends Entries = Entries> {
  readonly type: 'verification'
  readonly stack: Stack<S>
  /** What it is for, in a sentence; `--help` tells it. */
  readonly about: string | undefined
  readonly checks: (values: StackValues<S>) => readonly Check[]
}

/**
 * A verification for every inventory that fits the stack.
 *
 * @example
 * verification(stack({ web: hosts() }), ({ web }) =>
 *   web.hosts.map((host) => check(host, 'answers', http(`http://${host.address}/healthz`))),
 * )
 */
export function verification<S extends Entries>(
  of: Stack<S>,
  checks: (values: StackValues<S>) => Checks,
  { about }: { readonly about?: string } = {},
): Verification<S> {
  return Object.freeze({
    type: 'verification',
    stack: of,
    about,
    checks: (values: StackValues<S>) => flatChecks(checks(values)),
  })
}

/** What became of one check. */
export interface Finding {
  readonly about: string
  readonly label: string
  /** `unknown` when a host that is asked could not be reached. */
  readonly outcome: 'held' | 'failed' | 'unknown'
  /** How long the host took to find out; undefined when that was not measured. */
  readonly ms: number | undefined
  readonly problem: Problem | undefined
  /** What was seen, in a few words. */
  readonly said?: string | undefined
}

/** What a verification has found out. */
export interface Verified {
  readonly hosts: readonly string[]
  readonly findings: readonly Finding[]
  /** Why, by the host's name. */
  readonly unreachable: ReadonlyMap<string, Problem>
  readonly ms: number
}
