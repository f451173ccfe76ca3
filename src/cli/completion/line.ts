import { type Command, Option } from 'commander'

/** Where the words before the last one lead to. */
export interface At {
  readonly command: Command
  /** Whose value comes next; of a word that is no option of ours, that is yet to be seen. */
  readonly after: Option | string | undefined
  readonly position: number
  readonly inventory: string | undefined
  readonly playbook: string | undefined
}

/** A word that is no command is a playbook for the command that needs no name. */
export function walk(words: readonly string[], program: Command): At {
  let command = program
  let after: Option | string | undefined
  const given: string[] = []
  const values = new Map<string, string>()
  for (const word of words) {
    if (after instanceof Option) {
      values.set(after.attributeName(), word)
      after = undefined
      continue
    }
    after = undefined
    const [flag = '', value] = word.split(/=(.*)/s)
    const below = given.length === 0 ? command.commands.find((one) => one.name() === word) : undefined
    if (below) command = below
    else if (!word.startsWith('-')) given.push(word)
    else {
      const found = optionOf(command, flag)
      if (found && value !== undefined) values.set(found.attributeName(), value)
      else if (found && (found.required || found.optional)) after = found
      else if (!found && value === undefined) after = word
    }
  }
  const [inventory, [playbook]] = [values.get('inventory'), given]
  return { command, after, position: given.length, inventory, playbook }
}

/** Of a command, or of the one that is meant where none is named. */
export function optionOf(command: Command, flag: string): Option | undefined {
  return visibleOptions(command).find(({ long, short }) => long === flag || short === flag)
}

export function visibleOptions(command: Command): readonly Option[] {
  return [command, ...unnamed(command)].flatMap((one) => [...one.createHelp().visibleOptions(one)])
}

/** Whose words these are. */
export function ownerOf(command: Command): Command {
  const [owner = command] = unnamed(command)
  return owner
}

/** Of such a command, a word that we do not know may be a flag of the playbook. */
export function takesPlaybook(command: Command): boolean {
  return ownerOf(command).registeredArguments[0]?.name() === 'playbook'
}

/** `provision` alone is `provision run`. */
function unnamed(command: Command): readonly Command[] {
  return command.parent ? [] : command.commands.filter((one) => one.name() === 'run')
}
