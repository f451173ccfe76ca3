import type { Entries, InventorySchema, InventoryValues } from '../inventory/schema.ts'
import type { Problem } from '../problem.ts'
import { type Check, type Checks, flatChecks } from './check.ts'

/** Checks that pass on a healthy site. */
export interface Verification<S extends Entries = Entries> {
  readonly type: 'verification'
  readonly schema: InventorySchema<S>
  /** Its purpose, in a sentence; `--help` shows it. */
  readonly description: string | undefined
  readonly checks: (values: InventoryValues<S>) => readonly Check[]
}

/**
 * A verification for all inventories that match the schema.
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
  /** `unknown` if a host that is asked is not reachable or has not answered. */
  readonly outcome: 'passed' | 'failed' | 'unknown'
  /** The time that the host took; undefined if it was not measured. */
  readonly ms: number | undefined
  /** The reason why it failed or is unknown; undefined if a host is not reachable: see {@link Verified.unreachable}. */
  readonly problem: Problem | undefined
  /** A short result text. */
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
