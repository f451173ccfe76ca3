import type { Argument, Command, Option } from 'commander'
import { examplesOf } from './examples.ts'

/** The manual page of a tree of commands, in the language of man(7). */
export function manual(program: Command): string {
  const help = program.createHelp()
  const commands = everyVisible(program)
  return `${[
    `.\\" Made from the commands themselves by scripts/manual.js.`,
    `.TH ${program.name().toUpperCase()} 1 "" "provision" "User Commands"`,
    ...section('NAME', [`${program.name()} \\- ${escaped(lower(program.description()))}`]),
    ...section(
      'SYNOPSIS',
      commands.flatMap((one) => ['.br', `.B ${escaped(commandPath(one))}`, escaped(usageOf(one))]).slice(1),
    ),
    ...section('DESCRIPTION', [escaped(help.commandDescription(program)), ...examples(program)]),
    '.SH COMMANDS',
    ...commands.flatMap(commandPart),
    ...section(
      'ENVIRONMENT',
      ENVIRONMENT.flatMap(([name, words]) => ['.TP', `.B ${name}`, escaped(words)]),
    ),
    ...section(
      'FILES',
      FILES.flatMap(([name, words]) => ['.TP', `.I ${escaped(name)}`, escaped(words)]),
    ),
  ].join('\n')}\n`
}

const ENVIRONMENT = [
  ['PROVISION_INVENTORY', 'The inventory, where --inventory does not name one.'],
  ['NO_COLOR', 'No colours, when it is not empty.'],
  ['FORCE_COLOR', 'Colours also where there is no terminal; none at all when it is 0.'],
  ['TERM', 'Where it is dumb, a run is shown in lines, without colours.'],
] as const

const FILES = [
  ['inventory/*.ts', 'The inventories of a project.'],
  ['playbooks/*.ts', 'Its playbooks; playbooks/site.ts is the one that is meant where none is named.'],
] as const

function everyVisible(command: Command): readonly Command[] {
  const below = command.createHelp().visibleCommands(command)
  return below.filter((one) => one.name() !== 'help').flatMap((one) => [one, ...everyVisible(one)])
}

/** One that only holds others has a line; each other one has its flags and examples. */
function commandPart(command: Command): readonly string[] {
  const help = command.createHelp()
  return [
    `.SS ${escaped(`${commandPath(command)} ${usageOf(command)}`.trim())}`,
    escaped(help.commandDescription(command)),
    ...command.registeredArguments
      .filter(({ description }) => description !== '')
      .flatMap((one) => argumentPart(one, help.argumentDescription(one))),
    ...help.visibleOptions(command).flatMap((one) => optionPart(one, help.optionDescription(one))),
    ...examples(command),
  ]
}

function argumentPart(argument: Argument, description: string): readonly string[] {
  return ['.TP', `.I ${escaped(argument.name())}`, escaped(description)]
}

function optionPart({ flags }: Option, description: string): readonly string[] {
  return ['.TP', `.B ${escaped(flags)}`, escaped(description)]
}

function examples(command: Command): readonly string[] {
  const text = examplesOf(command)
  return text === '' ? [] : ['.PP', '.nf', ...text.split('\n').map(escaped), '.fi']
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return [`.SH ${title}`, ...lines]
}

/** All the words that lead to it: `provision lab up`. */
export function commandPath(command: Command): string {
  return [...(command.parent ? [commandPath(command.parent)] : []), command.name()].join(' ')
}

function usageOf(command: Command): string {
  return command.usage()
}

function lower(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`.replace(/\.$/, '')
}

/** No request where there is a dot or a quote at the beginning, and no ligature or typographic dash where a person wants to copy. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(
      /[^\x20-\x7e\n]/gu,
      (one) => `\\[u${one.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`,
    )
    .replace(/^[.']/gm, '\\&$&')
}
