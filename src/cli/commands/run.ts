import { Command } from 'commander'
import { exitCodeOfRun } from '../exit.ts'
import { load } from '../load/load.ts'
import { type Installation, playbookPath } from '../load/paths.ts'
import {
  OTHER,
  type RunFlags,
  withPlaybook,
  withReachOptions,
  withRunOptions,
  withSelectOptions,
  withShowOptions,
} from '../options.ts'
import { playbookOptions, splitPlaybookArgs } from '../playbook-flags.ts'
import { runPlaybook } from '../run.ts'
import { withHelpLayout } from '../usage.ts'

/** `provision [playbook]`: the default command. */
export function runCommand(installation: Installation): Command {
  return withOptions(withPlaybook(new Command('run')))
    .description('run a playbook (the default command)')
    .addHelpText(
      'after',
      '\nExamples:\n  provision --inventory inventory/prod.ts --check --diff\n  provision deploy --inventory inventory/prod.ts --release v42\n  provision run site --limit web,!web2 --tags nginx',
    )
    .helpOption(false)
    .optionsGroup(OTHER)
    .option('-h, --help', 'show help, including the options of the playbook')
    .action(async (_playbook: string, flags: RunFlags & { readonly help?: boolean }, command: Command) => {
      const { name, rest: args } = splitPlaybookArgs(command.args)
      if (flags.help) return name === undefined ? command.outputHelp() : playbookHelp(name, installation)
      const request = { playbook: name ?? 'site', args, flags, command, installation, prepare: 'call' } as const
      const { summary } = await runPlaybook(request)
      process.exitCode = exitCodeOfRun(summary)
      return undefined
    })
}

function withOptions(command: Command): Command {
  return withReachOptions(withSelectOptions(withShowOptions(withRunOptions(command))))
}

/** `provision deploy --help`: the description and the options of the playbook, then those of a run. */
async function playbookHelp(name: string, installation: Installation): Promise<void> {
  const { playbook } = await load({ playbook: playbookPath(name) }, { installation, typeCheck: false })
  const ours = withOptions(new Command(name))
  const help = new Command(`provision ${name}`)
    .usage('[options]')
    .description(playbook.description ?? '')
    .optionsGroup(`Options of ${name}:`)
  for (const option of playbookOptions(playbook))
    if (ours.options.every(({ long }) => long !== option.long)) help.addOption(option)
  withHelpLayout(withOptions(help)).outputHelp()
}
