import { Secret } from '../../shell/secret.ts'
import { type Field, type Fields, faultsOf, type Values } from '../inventory/fields.ts'
import type { Entries, InventorySchema, InventoryValues } from '../inventory/schema.ts'
import { Problem } from '../problem.ts'
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

interface PrepareContext {
  /** True if the run changes nothing: then `prepare` must not keep anything. */
  readonly check: boolean
}

interface PlaybookOptions<F extends Fields> {
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

/** The flags given to a playbook, by name: texts of a command line, or `true` for a flag without a value. */
export type FlagInput = Readonly<Record<string, unknown>>

/** `dryRun` is `--dry-run` on the command line. */
export function flagName(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** True if the flag takes no value. */
export function isSwitch(field: Field<unknown>): boolean {
  return field.check(true) === true && field.check('a text') === undefined
}

/** The values of the flags, converted for their fields. @throws Problem that lists all faults */
export function flagValues(flags: Fields, given: FlagInput): Readonly<Record<string, unknown>> {
  const said = Object.entries(flags).map(([name, field]) => ({ name, field, value: meant(field, given[name]) }))
  const faults = said.flatMap(({ name, field, value }) => {
    return value === undefined ? faultsOf(field, given[name], flagName(name)) : []
  })
  const [first] = faults
  if (first !== undefined) {
    throw new Problem(faults.length === 1 ? first : 'The flags do not fit the playbook.', {
      ...(faults.length > 1 && { details: faults }),
      next: 'Nothing was done yet. The playbook with --help tells what it takes.',
    })
  }
  return Object.fromEntries(said.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])))
}

/** A command line has only texts: a text is converted to a number or a boolean if the field does not accept the text. */
function meant(field: Field<unknown>, given: unknown): unknown {
  if (given === undefined) return isSwitch(field) && !field.optional ? false : undefined
  const meanings = [given]
  if (typeof given === 'string' && /^-?\d+(\.\d+)?$/.test(given)) meanings.push(Number(given))
  if (given === 'true' || given === 'false') meanings.push(given === 'true')
  return meanings.map((one) => field.check(one)).find((value) => value !== undefined)
}

/** @throws Problem for a flag that would hold a secret */
function refuseSecretFlags(flags: Fields): void {
  for (const [name, field] of Object.entries(flags)) {
    if (field.check(new Secret(() => '')) === undefined) continue
    throw new Problem(`${flagName(name)} would be a secret, and everyone on the machine can read a command line`, {
      next: 'Give it in the inventory: secret.env(…), secret.age(…) or secret.prompt(…).',
    })
  }
}
