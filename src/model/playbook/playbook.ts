import type { Fields, Values } from '../inventory/fields.ts'
import type { Entries, InventorySchema, InventoryValues } from '../inventory/schema.ts'
import { type FlagInput, flagValues, refuseSecretFlags } from './flags.ts'
import type { Play } from './play.ts'

/** The plays for a site, in order. */
export interface Playbook<S extends Entries = Entries> {
  readonly type: 'playbook'
  readonly schema: InventorySchema<S>
  /** Its purpose; `--help` shows it. */
  readonly description: string | undefined
  /** Its flags on the command line. */
  readonly flags: Fields
  /** Runs with the flags before the inventory is loaded. */
  readonly prepare: ((given: FlagInput, how: PrepareContext) => void) | undefined
  /** @throws Problem if a flag is missing or not valid */
  readonly plays: (values: InventoryValues<S>, given?: FlagInput) => readonly Play[]
}

export interface PrepareContext {
  /** True if the run changes nothing: then `prepare` must not keep anything. */
  readonly check: boolean
}

export interface PlaybookOptions<F extends Fields> {
  /** Its purpose, in a sentence or two; `--help` shows it. */
  readonly description?: string
  /** Its flags on the command line, as fields of a schema: `flags: { release: text }` is `--release 42`. */
  readonly flags?: F
  /**
   * Runs on this machine before the inventory is loaded, whose values may depend on it. `resume` does not run it again; `plan` rejects such
   * a playbook.
   */
  readonly prepare?: (flags: Values<F>, how: PrepareContext) => void
}

/**
 * A playbook for all inventories that match the schema.
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
  // Each value was checked against its field.
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
