import { Argument, Command } from 'commander'
import { complete } from '../completion/complete.ts'
import { SCRIPTS, type ShellName } from '../completion/scripts.ts'
import type { Installation } from '../load/paths.ts'

/** `provision completion SHELL`, and the hidden command that its scripts call. */
export function completionCommands(installation: Installation): readonly [Command, Command] {
  const script = new Command('completion')
    .description('print the completion script of a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SCRIPTS)))
    .addHelpText('after', EXAMPLES)
    .action((shell: ShellName) => {
      process.stdout.write(SCRIPTS[shell])
    })
  const completer = new Command('__complete')
    .argument('[words...]')
    .action(async (words: readonly string[], _flags: unknown, command: Command) => {
      const print = process.stdout.write.bind(process.stdout)
      // A playbook may print when it is loaded.
      process.stdout.write = () => true
      const found = await complete(words, command.parent ?? command, installation).catch(() => [])
      print(found.map(({ word, description }) => `${word}\t${description}\n`).join(''))
      process.exit()
    })
  return [script, completer]
}

const EXAMPLES = `
Examples:
  source <(provision completion bash)     in ~/.bashrc
  source <(provision completion zsh)      in ~/.zshrc, after compinit
  provision completion fish | source      in ~/.config/fish/config.fish

Hosts and groups are those of the inventory when it was last loaded, for example by provision hosts.`
