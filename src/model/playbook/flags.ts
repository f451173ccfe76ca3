import { Secret } from '../../shell/secret.ts'
import { type Field, type Fields, faultsOf } from '../inventory/fields.ts'
import { Problem } from '../problem.ts'

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
  const said = Object.entries(flags).map(([name, field]) => ({
    name,
    field,
    value: meant(field, given[name]),
  }))
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
export function refuseSecretFlags(flags: Fields): void {
  for (const [name, field] of Object.entries(flags)) {
    if (field.check(new Secret(() => '')) === undefined) continue
    throw new Problem(`${flagName(name)} would be a secret, and everyone on the machine can read a command line`, {
      next: 'Give it in the inventory: secret.env(…), secret.age(…) or secret.prompt(…).',
    })
  }
}
