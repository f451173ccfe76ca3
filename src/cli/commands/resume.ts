import { Command } from 'commander'
import { Problem } from '../../model/problem.ts'
import { quote } from '../../shell/sh.ts'
import { exitCodeOfRun } from '../exit.ts'
import { type Installation, relativePath } from '../load/paths.ts'
import {
  type RunFlags,
  withConnectionOptions,
  withRunOptions,
  withShowOptions,
  withTypeCheckOption,
} from '../options.ts'
import { runPlaybook } from '../run.ts'
import { changedFiles, readUnfinished, type UnfinishedRun } from '../state/resume.ts'

type ResumeFlags = Omit<RunFlags, 'inventory' | 'limit'> & { readonly anyway: boolean }

/** `provision resume`: repeats the last unfinished run on the hosts that did not complete it. */
export function resumeCommand(installation: Installation): Command {
  return withTypeCheckOption(withConnectionOptions(withShowOptions(withRunOptions(new Command('resume')))))
    .description('resume the last unfinished run on the hosts left')
    .addHelpText('after', '\nExamples:\n  provision resume\n  provision resume --anyway --diff')
    .optionsGroup('Run:')
    .option('--anyway', 'resume even if files have changed since', false)
    .action(async (given: ResumeFlags, command: Command) => {
      const run = readUnfinished()
      if (!run)
        throw new Problem('There is no unfinished run', {
          next: 'All runs started in this directory completed on all hosts.',
        })
      if (!given.anyway) assertFilesUnchanged(run)
      const { playbook, args, inventory, left } = run
      const limit = left.join(',')
      const flags = {
        ...{ ...given, ...run.flags, inventory, limit },
        ...(given.transport && { transport: given.transport }),
        askBecomePassword: given.askBecomePassword || run.flags.askBecomePassword,
      }
      process.stderr.write(`Resuming: ${commandLine(run)} --limit ${limit}\n`)
      const { summary } = await runPlaybook({ playbook, args, command, installation, flags })
      process.exitCode = exitCodeOfRun(summary)
    })
}

/** With other files, the hosts that completed the run may need changes, too. */
function assertFilesUnchanged(run: UnfinishedRun): void {
  const files = changedFiles(run)
  if (files.length === 0) return
  throw new Problem(`Files have changed since the run stopped; unfinished hosts: ${run.left.join(', ')}`, {
    details: files.map(relativePath),
    next: `To run for all hosts: ${commandLine(run)}. For the unfinished ones: provision resume --anyway.`,
  })
}

function commandLine({ playbook, inventory, args, flags }: UnfinishedRun): string {
  const { tags, skipTags, startAt } = flags
  const option = (name: string, value: string | undefined) => (value === undefined ? [] : [name, value])
  return [
    'provision',
    playbook,
    ...option('--inventory', relativePath(inventory)),
    ...option('--tags', tags?.join(',')),
    ...option('--skip-tags', skipTags?.join(',')),
    ...option('--start-at', startAt),
    ...args,
  ]
    .map(quote)
    .join(' ')
}
