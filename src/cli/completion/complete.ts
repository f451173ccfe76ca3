import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { flagName, isSwitch } from '../../model/playbook/playbook.ts'
import { cacheDirectory, compile, type HostNames, importDefault, storedHostNames } from '../load/load.ts'
import { type Installation, inventories, playbookPath, playbooks } from '../load/paths.ts'
import { describeField } from '../playbook-flags.ts'

/** A word that may come next. */
export interface Candidate {
  readonly word: string
  readonly description: string
}

/** Lets the shell complete paths. */
const FILES: readonly Candidate[] = [{ word: ':files', description: '' }]

/** Completes the last word. @param words those after the program's name */
export async function complete(
  words: readonly string[],
  program: Command,
  installation: Installation,
): Promise<readonly Candidate[]> {
  const last = words.at(-1) ?? ''
  const line = parse(words.slice(0, -1), program)
  const { owner } = line
  const takesPlaybook = owner.registeredArguments[0]?.name() === 'playbook'
  const own = takesPlaybook ? await playbookOptionNames(line.args[0] ?? 'site', installation) : []
  const [flag = '', value] = last.split(/=(.*)/s)
  if (last.startsWith('--') && value !== undefined) {
    const values = valuesOf(optionNamed(owner, flag) ?? flag, value, line, own) ?? []
    return values === FILES
      ? FILES
      : starting(
          values.map((one) => ({ ...one, word: `${flag}=${one.word}` })),
          last,
        )
  }
  const candidates =
    valuesOf(line.after, last, line, own) ??
    (last.startsWith('-') ? optionsOf(owner, own) : [...commandsOf(line), ...argumentsOf(line, last)])
  return candidates.some(({ word }) => word === FILES[0]?.word) ? FILES : starting(candidates, last)
}

/** The words before the one to complete. */
interface Line {
  readonly command: Command
  /** The command that runs: `run` if none is named. */
  readonly owner: Command
  readonly args: readonly string[]
  /** The option that precedes the word; a text if it is not one of ours. */
  readonly after: Option | string | undefined
  readonly inventory: string | undefined
}

function parse(words: readonly string[], program: Command): Line {
  let command = program
  let after: Option | string | undefined
  let inventory: string | undefined
  const args: string[] = []
  for (const word of words) {
    const previous = after
    after = undefined
    if (previous instanceof Option) {
      if (previous.attributeName() === 'inventory') inventory = word
      continue
    }
    const [flag = '', value] = word.split(/=(.*)/s)
    const below = args.length === 0 ? command.commands.find((one) => one.name() === word) : undefined
    if (below) command = below
    else if (!word.startsWith('-')) args.push(word)
    else {
      const option = optionNamed(ownerOf(command), flag)
      if (value === undefined) after = !option ? word : option.required ? option : undefined
      else if (option?.attributeName() === 'inventory') inventory = value
    }
  }
  return { command, owner: ownerOf(command), args, after, inventory }
}

function ownerOf(command: Command): Command {
  return (command.parent ? undefined : command.commands.find((one) => one.name() === 'run')) ?? command
}

function optionNamed(command: Command, flag: string): Option | undefined {
  return visibleOptions(command).find(({ long, short }) => long === flag || short === flag)
}

function visibleOptions(command: Command): readonly Option[] {
  return command.createHelp().visibleOptions(command)
}

/** The values of an option; undefined if it has none. */
function valuesOf(
  option: Option | string | undefined,
  typed: string,
  { inventory }: Line,
  own: readonly PlaybookOption[],
): readonly Candidate[] | undefined {
  if (!(option instanceof Option)) return own.some(({ name, hasValue }) => name === option && hasValue) ? [] : undefined
  if (option.argChoices) return option.argChoices.map(candidate(''))
  if (option.attributeName() === 'limit') return hosts(inventory, typed)
  return /<(file|path|directory)>/.test(option.flags) ? FILES : []
}

function argumentsOf({ owner, args, inventory }: Line, typed: string): readonly Candidate[] {
  const all = owner.registeredArguments
  const argument = all[args.length] ?? all.findLast(({ variadic }) => variadic)
  if (!argument) return []
  if (argument.argChoices) return argument.argChoices.map(candidate(''))
  if (/^(playbook|verification)$/.test(argument.name())) return playbooks().map(candidate('playbook'))
  if (argument.name() === 'thing') return thingsOnHosts(inventory, typed)
  // Hosts of a lab are not those of an inventory.
  if (/^hosts?$/.test(argument.name()) && owner.parent?.name() !== 'lab') return hosts(inventory, typed)
  return /^(plan|file|directory)$/.test(argument.name()) ? FILES : []
}

/** The host after the `@` of a thing. */
function thingsOnHosts(inventory: string | undefined, typed: string): readonly Candidate[] {
  const before = /^.+@/s.exec(typed)?.[0]
  return before === undefined ? [] : hostNames(inventory).hosts.map((one) => ({ word: before + one, description: '' }))
}

/** The last name of a comma-separated list, which may start with `!`. */
function hosts(inventory: string | undefined, typed: string): readonly Candidate[] {
  const before = /^(?:.*,)?!?/s.exec(typed)?.[0] ?? ''
  const names = hostNames(inventory)
  return [...names.groups.map(candidate('group')), ...names.hosts.map(candidate('host'))].map((one) => ({
    ...one,
    word: `${before}${one.word}`,
  }))
}

/** An option of ours takes precedence over one of the playbook. */
function optionsOf(command: Command, own: readonly PlaybookOption[]): readonly Candidate[] {
  const all = [
    ...own.map(({ name, description }) => [name, description] as const),
    ...visibleOptions(command).map(({ long, short, description }) => [long ?? short ?? '', description] as const),
  ]
  return [...new Map(all)].map(([word, description]) => ({ word, description }))
}

function commandsOf({ command, args }: Line): readonly Candidate[] {
  if (args.length > 0) return []
  const all = command.createHelp().visibleCommands(command)
  return all.map((one) => ({ word: one.name(), description: one.description() }))
}

function candidate(description: string) {
  return (word: string): Candidate => ({ word, description })
}

function starting(candidates: readonly Candidate[], typed: string): readonly Candidate[] {
  return candidates.filter(({ word }) => word.startsWith(typed))
}

/** The groups and hosts of an inventory when it was last loaded; without a name, those of all inventories of the project. */
function hostNames(inventory: string | undefined): HostNames {
  const named = inventory ?? process.env['PROVISION_INVENTORY']
  const all = (named === undefined ? inventories() : [named]).map((path) => {
    const full = resolve(path)
    return storedHostNames(cacheDirectory(full), full)
  })
  return {
    groups: [...new Set(all.flatMap(({ groups }) => groups))],
    hosts: [...new Set(all.flatMap(({ hosts }) => hosts))],
  }
}

/** An option of a playbook. */
interface PlaybookOption {
  readonly name: string
  readonly description: string
  readonly hasValue: boolean
}

/** The options of a playbook; none if it cannot be loaded. They are cached beside its compiled files. */
async function playbookOptionNames(playbook: string, installation: Installation): Promise<readonly PlaybookOption[]> {
  const path = resolve(playbookPath(playbook))
  if (!existsSync(path)) return []
  try {
    const { outdir } = await compile({ playbook: path }, installation)
    const cache = join(outdir, 'options.json')
    if (changed(cache) > changed(join(outdir, 'inputs.json'))) return JSON.parse(readFileSync(cache, 'utf8'))
    const { flags } = await importDefault(outdir, 'playbook', path)
    const options = Object.entries(flags).map(([name, field]) => ({
      name: flagName(name),
      description: describeField(field).replace(/\s+/g, ' '),
      hasValue: !isSwitch(field),
    }))
    // Another shell may read the file at the same time.
    writeFileSync(`${cache}.${process.pid}`, JSON.stringify(options))
    renameSync(`${cache}.${process.pid}`, cache)
    return options
  } catch {
    return []
  }
}

function changed(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
