import { Command } from 'commander'
import { type Installation, loadPlaybook } from '../load/load.ts'
import { playbookPath } from '../load/paths.ts'
import { type RunFlags, withActOptions, withPlaybook, withReachOptions, withShowOptions } from '../options.ts'
import { playbookHelp, splitPlaybookArgs } from '../playbook-flags.ts'
import { exitCodeOfRun, runPlaybook } from '../run.ts'
import { withSelectOptions } from '../select.ts'

/** `provision [playbook] --inventory FILE`: the everyday command. */
export function runCommand(own: Installation): Command {
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
      const { name, rest: args } = splitPlaybookArgs(command.args)
      if (flags.help) return help(command, name, own)
      process.exitCode = exitCodeOfRun(
        await runPlaybook({ playbook: name ?? 'site', args, flags, command, own, prepares: 'now' }),
      )
      return undefined
    })
}

async function help(command: Command, name: string | undefined, own: Installation): Promise<void> {
  const about = name === undefined ? '' : playbookHelp(await loadPlaybook(playbookPath(name), own), name)
  process.stdout.write(`${about === '' ? '' : `${about}\n\n`}${command.helpInformation()}`)
}
