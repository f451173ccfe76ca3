import type { Fields, Values } from '../inventory/fields.ts'
import type { Entries, InventorySchema, InventoryValues } from '../inventory/schema.ts'
import { type FlagInput, flagValues, refuseSecretFlags } from './flags.ts'
import type { Play } from './play.ts'

/** What to do to a site, in order. */
export interface Playbook<S extends Entries = Entries> {
  readonly type: 'playbook'
  readonly schema: InventorySchema<S>
  /** What it is for; `--help` tells it. */
  readonly description: string | undefined
  /** What the command line may say to it. */
  readonly flags: Fields
  /** Done with the flags before the inventory is asked for. */
  readonly prepare: ((given: FlagInput, how: PrepareContext) => void) | undefined
  /** @throws Problem when the flags that were given do not fit */
  readonly plays: (values: InventoryValues<S>, given?: FlagInput) => readonly Play[]
}

export interface PrepareContext {
  /** Whether the run is only to look, so that nothing may be kept of what is prepared. */
  readonly check: boolean
}

export interface PlaybookOptions<F extends Fields> {
  /** What it is for, in a sentence or two. */
  readonly description?: string
  /** What is said to it on the command line, in the words of a stack: `flags: { release: text }` is `--release 42`. */
  readonly flags?: F
  /** Done on this machine before the inventory is asked for, whose values may depend on it. Not again for `resume`; `plan` refuses such a playbook. */
  readonly prepare?: (flags: Values<F>, how: PrepareContext) => void
}

/**
 * A playbook for every inventory that fits the stack.
 *
 * @example
 * playbook(
 *   inventorySchema({ web: hosts() }),
 *   ({ web }, { words }) => [play('motd', { hosts: web }, () => [file('/etc/motd', words)])],
 *   { flags: { words: text } },
 * )
 */
export function playbook<S extends Entries, const F extends Fields = Record<never, never>>(
  of: InventorySchema<S>,
  plays: (values: InventoryValues<S>, flags: Values<F>) => readonly Play[],
  { description, flags, prepare }: PlaybookOptions<F> = {},
): Playbook<S> {
  const fields = flags ?? {}
  refuseSecretFlags(fields)
  // Each value was held against its field.
  const valuesOf = (given: FlagInput) => flagValues(fields, given) as Values<F>
  return Object.freeze({
    type: 'playbook',
    schema: of,
    description,
    flags: fields,
    prepare: prepare && ((given: FlagInput, how: PrepareContext) => prepare(valuesOf(given), how)),
    plays: (values: InventoryValues<S>, given: FlagInput = {}) => plays(values, valuesOf(given)),
  })
}
