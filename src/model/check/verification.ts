import type { Entries, InventorySchema, InventoryValues } from '../inventory/schema.ts'
import type { Problem } from '../problem.ts'
import { type Check, type Checks, flatChecks } from './check.ts'

/** Checks that hold in a healthy site. */
export interface Verification<S extends Entries = Entries> {
  readonly type: 'verification'
  readonly schema: InventorySchema<S>
  /** What it is for, in a sentence; `--help` tells it. */
  readonly description: string | undefined
  readonly checks: (values: InventoryValues<S>) => readonly Check[]
}

/**
 * A verification for every inventory that fits the stack.
 *
 * @example
 * verification(inventorySchema({ web: hosts() }), ({ web }) =>
 *   web.hosts.map((host) => check(host, 'answers', http(`http://${host.address}/healthz`))),
 * )
 */
export function verification<S extends Entries>(
  of: InventorySchema<S>,
  checks: (values: InventoryValues<S>) => Checks,
  { description }: { readonly description?: string } = {},
): Verification<S> {
  return Object.freeze({
    type: 'verification',
    schema: of,
    description,
    checks: (values: InventoryValues<S>) => flatChecks(checks(values)),
  })
}

/** The result of one check. */
export interface Finding {
  readonly about: string
  readonly label: string
  /** `unknown` when a host that is asked could not be reached, or its answer could not be had. */
  readonly outcome: 'passed' | 'failed' | 'unknown'
  /** The time that the host took; undefined when that was not measured. */
  readonly ms: number | undefined
  /** Why it failed, or why it is unknown; undefined when a host could not be reached, which {@link Verified.unreachable} tells. */
  readonly problem: Problem | undefined
  /** The finding in a few words. */
  readonly said?: string | undefined
}

/** The result of a verification. */
export interface Verified {
  readonly hosts: readonly string[]
  readonly findings: readonly Finding[]
  /** The reasons, by the host's name. */
  readonly unreachable: ReadonlyMap<string, Problem>
  readonly ms: number
}
