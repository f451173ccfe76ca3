import { Argument, Command } from 'commander'
import type { Installation } from '../load/load.ts'
import { flagsOf, type OwnFlag } from './flags.ts'
import { type At, optionOf, takesPlaybook, visibleOptions, walk } from './line.ts'
import { namesOf } from './names.ts'
import { SCRIPTS, type ShellName } from './scripts.ts'
import { type Ask, argumentsOf, type Candidate, FILES, valuesAfter } from './values.ts'

/** Seconds after which the shell gets no answer: an inventory may take long to load. `$PROVISION_COMPLETION_TIMEOUT` sets another limit. */
const TIMEOUT = 5

/** `provision completion SHELL`, and what the shells ask. */
export function completionCommands(own: Installation): readonly [Command, Command] {
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
      const seconds = Number(process.env['PROVISION_COMPLETION_TIMEOUT']) || TIMEOUT
      setTimeout(() => process.exit(), 1000 * seconds).unref()
      const say = process.stdout.write.bind(process.stdout)
      // What an inventory or a playbook prints is no word to complete.
      process.stdout.write = () => true
      const found = await completions(words, command.parent ?? command, own).catch(() => [])
      say(found.map(({ word, about }) => `${word}\t${about}\n`).join(''))
      process.exit()
    })
  return [script, ask]
}

/** How the last word may go on. @param words what was typed after the program's name */
export async function completions(
  words: readonly string[],
  program: Command,
  own: Installation,
): Promise<readonly Candidate[]> {
  const last = words.at(-1) ?? ''
  const at = walk(words.slice(0, -1), program)
  let flags: Promise<readonly OwnFlag[]> | undefined
  const ask: Ask = {
    names: () => namesOf(at, own),
    flags: async () => {
      if (takesPlaybook(at.command)) flags ??= flagsOf(at.playbook, own)
      return (await flags) ?? []
    },
  }
  const [flag = '', given] = last.split(/=(.*)/s)
  if (last.startsWith('--') && given !== undefined) {
    const found = (await valuesAfter(optionOf(at.command, flag) ?? flag, given, ask)) ?? []
    if (found === FILES) return FILES
    const glued = found.map(({ word, about }) => ({ word: `${flag}=${word}`, about }))
    return glued.filter(({ word }) => word.startsWith(last))
  }
  const all =
    (await valuesAfter(at.after, last, ask)) ??
    (last.startsWith('-')
      ? optionsOf(at.command, await ask.flags())
      : [...commandsOf(at), ...(await argumentsOf(at, last, ask))])
  return all.some(({ word }) => word === FILES[0]?.word)
    ? FILES
    : all.filter(({ word }) => word.startsWith(last))
}

/** Of one that both have, a run takes ours. */
function optionsOf(command: Command, own: readonly OwnFlag[]): readonly Candidate[] {
  const all = visibleOptions(command).map(
    ({ long, short, description }) => [long ?? short ?? '', description] as const,
  )
  return [...new Map([...own.map(({ word, about }) => [word, about] as const), ...all])].map(
    ([word, about]) => ({ word, about }),
  )
}

function commandsOf({ command, position }: At): readonly Candidate[] {
  if (position > 0) return []
  const all = command.createHelp().visibleCommands(command)
  return all.map((one) => ({ word: one.name(), about: one.summary() || one.description() }))
}

const EXAMPLES = `
Examples:
  source <(provision completion bash)     in ~/.bashrc
  source <(provision completion zsh)      in ~/.zshrc, after compinit
  provision completion fish | source      in ~/.config/fish/config.fish`
