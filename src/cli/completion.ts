import { Argument, Command, type Option } from 'commander'
import { type Names, namesOf } from './completion-names.ts'
import { SCRIPTS, type ShellName } from './completion-scripts.ts'
import type { Own } from './load.ts'
import { playbooks } from './paths.ts'

/** Milliseconds after which a person waits no longer for what an inventory takes its time to tell. */
const PATIENCE = 5_000

/** `provision completion SHELL`, and what the shells ask. */
export function completionCommands(own: Own): readonly [Command, Command] {
  const script = new Command('completion')
    .description('print what makes a shell complete commands, flags, hosts, groups, tags and playbooks')
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(SCRIPTS)))
    .addHelpText('after', EXAMPLES)
    // It is one of the choices.
    .action((shell: ShellName) => {
      process.stdout.write(SCRIPTS[shell])
    })
  const ask = new Command('__complete')
    .argument('[words...]')
    .action(async (words: readonly string[], _flags: unknown, command: Command) => {
      setTimeout(() => process.exit(), PATIENCE).unref()
      // What an inventory prints is no word to complete.
      console.log = () => {}
      const found = await completions(words, command.parent ?? command, own).catch(() => [])
      process.stdout.write(found.map(({ word, about }) => `${word}\t${about}\n`).join(''))
      process.exit()
    })
  return [script, ask]
}

interface Candidate {
  readonly word: string
  readonly about: string
}

const FILES: readonly Candidate[] = [{ word: ':files', about: '' }]

/** How the last word may go on. @param words what was typed after the program's name */
export async function completions(
  words: readonly string[],
  program: Command,
  own: Own,
): Promise<readonly Candidate[]> {
  const last = words.at(-1) ?? ''
  const at = walk(words.slice(0, -1), program)
  const names = () => namesOf({ inventory: at.inventory, playbook: at.playbook }, own)
  const [flag = '', given] = last.split(/=(.*)/s)
  if (last.startsWith('--') && given !== undefined) {
    const option = optionOf(at.command, flag)
    const found = option ? await valuesOf(option, given, names) : []
    return found === FILES ? FILES : found.map(({ word, about }) => ({ word: `${flag}=${word}`, about }))
  }
  const all = at.option
    ? await valuesOf(at.option, last, names)
    : last.startsWith('-')
      ? optionsOf(at.command)
      : [...commandsOf(at), ...(await argumentsOf(at, last, names))]
  return all.some(({ word }) => word === FILES[0]?.word)
    ? FILES
    : all.filter(({ word }) => word.startsWith(last))
}

interface At {
  readonly command: Command
  /** Whose value comes next. */
  readonly option: Option | undefined
  readonly position: number
  readonly inventory: string | undefined
  readonly playbook: string | undefined
}

/** Where the words before the last one lead to. A word that is no command is a playbook for the command that needs no name. */
function walk(words: readonly string[], program: Command): At {
  let command = program
  let option: Option | undefined
  const given: string[] = []
  const values = new Map<string, string>()
  for (const word of words) {
    if (option) {
      values.set(option.attributeName(), word)
      option = undefined
      continue
    }
    const [flag = '', value] = word.split(/=(.*)/s)
    const below = given.length === 0 ? command.commands.find((one) => one.name() === word) : undefined
    if (below) command = below
    else if (!word.startsWith('-')) given.push(word)
    else {
      const found = optionOf(command, flag)
      if (found && value !== undefined) values.set(found.attributeName(), value)
      else if (found && (found.required || found.optional)) option = found
    }
  }
  const [inventory, [playbook]] = [values.get('inventory'), given]
  return { command, option, position: given.length, inventory, playbook }
}

/** Of a command, or of the one that is meant where none is named. */
function optionOf(command: Command, flag: string): Option | undefined {
  return visibleOptions(command).find(({ long, short }) => long === flag || short === flag)
}

function visibleOptions(command: Command): readonly Option[] {
  return [command, ...unnamed(command)].flatMap((one) => [...one.createHelp().visibleOptions(one)])
}

/** `provision` alone is `provision run`. */
function unnamed(command: Command): readonly Command[] {
  return command.parent ? [] : command.commands.filter((one) => one.name() === 'run')
}

function optionsOf(command: Command): readonly Candidate[] {
  const all = visibleOptions(command).map(
    ({ long, short, description }) => [long ?? short ?? '', description] as const,
  )
  return [...new Map(all)].map(([word, about]) => ({ word, about }))
}

function commandsOf({ command, position }: At): readonly Candidate[] {
  if (position > 0) return []
  const all = command.createHelp().visibleCommands(command)
  return all.map((one) => ({ word: one.name(), about: one.summary() || one.description() }))
}

type Ask = () => Promise<Names>

async function argumentsOf(
  { command, position }: At,
  last: string,
  names: Ask,
): Promise<readonly Candidate[]> {
  const [owner = command] = [...unnamed(command), command]
  const { registeredArguments: all } = owner
  const argument = all[position] ?? all.findLast(({ variadic }) => variadic)
  if (!argument) return []
  if (argument.argChoices) return plainly(argument.argChoices)
  if (/^(playbook|verification)$/.test(argument.name())) return playbooks().map(asCandidate('playbook'))
  // The hosts of a lab are others than those of an inventory.
  if (/^hosts?$/.test(argument.name()) && owner.parent?.name() !== 'lab')
    return listed(last, hostsAnd(await names()))
  return /^(plan|file|directory)$/.test(argument.name()) ? FILES : []
}

async function valuesOf(option: Option, typed: string, names: Ask): Promise<readonly Candidate[]> {
  if (option.argChoices) return plainly(option.argChoices)
  switch (option.attributeName()) {
    case 'limit':
      return listed(typed, hostsAnd(await names()))
    case 'tags':
    case 'skipTags':
      return listed(typed, (await names()).tags.map(asCandidate('tag')))
    default:
      return /<(file|path|directory)>/.test(option.flags) ? FILES : []
  }
}

function hostsAnd({ hosts, groups }: Names): readonly Candidate[] {
  return [...groups.map(asCandidate('group')), ...hosts.map(asCandidate('host'))]
}

/** Words apart by commas: the last one is completed, and may be one that is taken out. */
function listed(typed: string, all: readonly Candidate[]): readonly Candidate[] {
  const before = /^(?:.*,)?!?/s.exec(typed)?.[0] ?? ''
  return all
    .map(({ word, about }) => ({ word: `${before}${word}`, about }))
    .filter(({ word }) => word.startsWith(typed))
}

function plainly(words: readonly string[]): readonly Candidate[] {
  return words.map(asCandidate(''))
}

function asCandidate(about: string) {
  return (word: string): Candidate => ({ word, about })
}

const EXAMPLES = `
Examples:
  source <(provision completion bash)     in ~/.bashrc
  source <(provision completion zsh)      in ~/.zshrc, after compinit
  provision completion fish | source      in ~/.config/fish/config.fish`
