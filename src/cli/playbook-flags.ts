import { type Command, Option } from 'commander'
import type { Field, Fields } from '../model/inventory/fields.ts'
import type { Entries } from '../model/inventory/schema.ts'
import { type FlagInput, flagName, flagValues, isSwitch, type Playbook } from '../model/playbook/playbook.ts'
import { Problem } from '../model/problem.ts'
import { unknownOption } from './usage.ts'

/** Splits the arguments that our own options leave over into the playbook's name and its options. */
export function splitPlaybookArgs(args: readonly string[]): {
  readonly name?: string
  readonly rest: readonly string[]
} {
  const [name, ...rest] = args
  return name === undefined || name.startsWith('-') ? { rest: args } : { name, rest }
}

/**
 * Sets the flags of a playbook from its options on the command line.
 *
 * @param options those of the command, for suggestions
 * @throws Problem for an unknown option, and for values that do not fit
 */
export function withFlags<S extends Entries>(
  playbook: Playbook<S>,
  args: readonly string[],
  options: readonly string[],
): Playbook<S> {
  const values = flagValues(playbook.flags, parse(args, playbook.flags, options))
  const { prepare } = playbook
  return {
    ...playbook,
    prepare: prepare && ((_given, how) => prepare(values, how)),
    plays: (site) => playbook.plays(site, values),
  }
}

/** {@link withFlags} as a function of the playbook. */
export function flagParser(args: readonly string[], { options }: Command): (playbook: Playbook) => Playbook {
  const own = options.flatMap(({ long, hidden }) => (long && !hidden ? [long] : []))
  return (playbook) => withFlags(playbook, args, own)
}

/** The options of a playbook, as its help shows them. */
export function playbookOptions({ flags }: Pick<Playbook, 'flags'>): readonly Option[] {
  return Object.entries(flags).map(
    ([name, field]) => new Option(`${flagName(name)}${isSwitch(field) ? '' : ' <value>'}`, describeField(field)),
  )
}

/** `the release to deploy (required: a text)` */
export function describeField(field: Field<unknown>): string {
  const { description, expects, optional } = field
  const kind = isSwitch(field) ? '' : optional ? expects : `required: ${expects}`
  if (description === undefined) return kind
  return kind === '' ? description : `${description} (${kind})`
}

function parse(args: readonly string[], flags: Fields, options: readonly string[]): FlagInput {
  const byOption = new Map(Object.keys(flags).map((name) => [flagName(name), name]))
  const given: Record<string, unknown> = {}
  for (let i = 0; i < args.length; i++) {
    const [option = '', ...value] = (args[i] ?? '').split('=')
    const name = byOption.get(option) ?? byOption.get(option.replace(/^--no-/, '--'))
    const field = name === undefined ? undefined : flags[name]
    if (name === undefined || !field) throw unexpected(option, [...byOption.keys()], options)
    if (value.length > 0) given[name] = value.join('=')
    else if (isSwitch(field)) given[name] = byOption.has(option)
    else if (args[i + 1]?.startsWith('--') ?? true)
      throw new Problem(`Option ${option} needs a value: ${field.expects}`)
    else given[name] = args[++i]
  }
  return given
}

function unexpected(arg: string, own: readonly string[], options: readonly string[]): Problem {
  if (arg.startsWith('-')) return unknownOption(arg, { own, options })
  return new Problem(`Unexpected argument "${arg}"`, {
    next: 'The playbook comes first, then its options: provision deploy --release 42.',
  })
}
