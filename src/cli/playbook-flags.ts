import type { Command } from 'commander'
import type { Field, Fields } from '../model/inventory/fields.ts'
import type { Entries } from '../model/inventory/schema.ts'
import { type FlagInput, flagName, flagValues, isSwitch } from '../model/playbook/flags.ts'
import type { Playbook } from '../model/playbook/playbook.ts'
import { Problem } from '../model/problem.ts'
import { didYouMean } from '../shell/nearest.ts'

/** The name of the playbook, and the words that our own options have left over: they are for the playbook. */
export function splitPlaybookArgs(words: readonly string[]): {
  readonly name?: string
  readonly rest: readonly string[]
} {
  const [name, ...rest] = words
  return name === undefined || name.startsWith('-') ? { rest: words } : { name, rest }
}

/**
 * The playbook with what the command line says to it.
 *
 * @param options our own, which a mistyped word may have meant
 * @throws Problem for a word that is none of its flags, and for values that do not fit
 */
export function withFlags<S extends Entries>(
  playbook: Playbook<S>,
  words: readonly string[],
  options: readonly string[],
): Playbook<S> {
  const given = parsed(words, playbook.flags, options)
  const values = flagValues(playbook.flags, given)
  const { prepare } = playbook
  return {
    ...playbook,
    prepare: prepare && ((_given, how) => prepare(values, how)),
    plays: (site) => playbook.plays(site, values),
  }
}

/** {@link withFlags}, for the options that a command has. */
export function flagParser(words: readonly string[], { options }: Command): (playbook: Playbook) => Playbook {
  const own = options.flatMap(({ long }) => long ?? [])
  return (playbook) => withFlags(playbook, words, own)
}

/** What `--help` tells of a playbook. */
export function playbookHelp(
  { description, flags }: Pick<Playbook, 'description' | 'flags'>,
  name: string,
): string {
  const rows = Object.entries(flags).map(([key, field]) => ({
    left: `${flagName(key)}${isSwitch(field) ? '' : ' <value>'}`,
    right: describeField(field),
  }))
  const width = Math.max(0, ...rows.map(({ left }) => left.length))
  return [
    ...(description === undefined ? [] : [description]),
    ...(rows.length === 0 ? [] : ['', `Flags of ${name}:`]),
    ...rows.map(({ left, right }) => `  ${left.padEnd(width)}  ${right}`),
  ].join('\n')
}

/** What is said about a flag in a few words. */
export function describeField(field: Field<unknown>): string {
  return `${isSwitch(field) ? 'on or off' : field.expects}${field.optional ? ', or nothing' : ''}`
}

function parsed(words: readonly string[], flags: Fields, options: readonly string[]): FlagInput {
  const byOption = new Map(Object.keys(flags).map((name) => [flagName(name), name]))
  const given: Record<string, unknown> = {}
  for (let i = 0; i < words.length; i++) {
    const [option = '', ...value] = (words[i] ?? '').split('=')
    const negated = option.replace(/^--no-/, '--')
    const name = byOption.get(option) ?? byOption.get(negated)
    const field = name === undefined ? undefined : flags[name]
    if (name === undefined || !field) throw unknown(option, [...byOption.keys()], options)
    if (value.length > 0) given[name] = value.join('=')
    else if (isSwitch(field)) given[name] = byOption.has(option)
    else if (words[i + 1]?.startsWith('--') ?? true)
      throw new Problem(`${option}: is missing its value; it should be ${field.expects}`)
    else given[name] = words[++i]
  }
  return given
}

function unknown(word: string, own: readonly string[], options: readonly string[]): Problem {
  if (!word.startsWith('-')) {
    return new Problem(`Nothing is to be done with the word "${word}"`, {
      next: 'The playbook goes first, then its flags: provision deploy --release 42.',
    })
  }
  return new Problem(`There is no flag ${word}`, {
    next:
      didYouMean(word, [...own, ...options]) ??
      (own.length > 0 ? `The playbook takes ${own.join(', ')}.` : 'The playbook takes no flags of its own.'),
  })
}
