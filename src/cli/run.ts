import { Command } from 'commander'
import { flagsHelp, playbookWords } from './flags.ts'
import { loadPlaybook, type Own } from './load.ts'
import { playbookPath } from './paths.ts'
import { exitOf, perform } from './perform.ts'
import {
  type RunFlags,
  withActOptions,
  withPlaybook,
  withReachOptions,
  withShowOptions,
} from './run-flags.ts'
import { withSelectOptions } from './select.ts'

/** `provision [playbook] --inventory FILE`: the everyday command. */
export function runCommand(own: Own): Command {
  const command = withPlaybook(new Command('run'))
  return withActOptions(withSelectOptions(withShowOptions(withReachOptions(command))))
    .description('run a playbook (the default command)')
    .addHelpText(
      'after',
      '\nExamples:\n  provision --inventory inventory/prod.ts --check --diff\n  provision deploy --inventory inventory/prod.ts --release v42\n  provision run site --limit web,!web2 --tags nginx',
    )
    .helpOption(false)
    .option('-h, --help', 'tell this, and what the playbook is for and takes')
    .action(async (_playbook: string, flags: RunFlags & { readonly help?: boolean }, command: Command) => {
      const { name, rest: words } = playbookWords(command.args)
      if (flags.help) return help(command, name, own)
      process.exitCode = exitOf(
        await perform({ playbook: name ?? 'site', words, flags, command, own, prepares: 'now' }),
      )
      return undefined
    })
}

async function help(command: Command, name: string | undefined, own: Own): Promise<void> {
  const about = name === undefined ? '' : flagsHelp(await loadPlaybook(playbookPath(name), own), name)
  process.stdout.write(`${about === '' ? '' : `${about}\n\n`}${command.helpInformation()}`)
}
