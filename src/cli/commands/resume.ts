import { Command } from 'commander'
import { Problem } from '../../model/problem.ts'
import { quote } from '../../shell/quote.ts'
import { type Installation, relativePath } from '../load/load.ts'
import {
  type LoginFlags,
  type RunFlags,
  withActOptions,
  withLoginOptions,
  withShowOptions,
} from '../options.ts'
import { exitCodeOfRun, runPlaybook } from '../run.ts'
import { changedFiles, readUnfinished, type UnfinishedRun } from '../state/resume.ts'

type ResumeFlags = Omit<RunFlags, 'inventory' | 'limit'> & LoginFlags & { readonly anyway: boolean }

/** `provision resume`: the last run that did not reach its end, once more, for the hosts where it did not. */
export function resumeCommand(own: Installation): Command {
  return withLoginOptions(withShowOptions(withActOptions(new Command('resume'))))
    .description('go on with the last run that did not reach its end, on the hosts where it did not')
    .addHelpText('after', '\nExamples:\n  provision resume\n  provision resume --anyway --diff')
    .option('--anyway', 'also when files have changed since', false)
    .action(async (given: ResumeFlags, command: Command) => {
      const run = readUnfinished()
      if (!run)
        throw new Problem('There is nothing to resume', {
          next: 'Runs that were begun in this folder have reached their end on all hosts.',
        })
      if (!given.anyway) refuseMoved(run)
      const { playbook, args, inventory, left } = run
      const limit = left.join(',')
      const flags = { ...given, ...run.flags, ...(given.transport && { transport: given.transport }) }
      const askBecomePassword = given.askBecomePassword || run.flags.askBecomePassword
      process.stderr.write(`Resuming: ${commandOf(run)} --limit ${limit}\n`)
      const order = { playbook, args, command, own }
      process.exitCode = exitCodeOfRun(
        await runPlaybook({ ...order, flags: { ...flags, askBecomePassword, inventory, limit } }),
      )
    })
}

/** Hosts that ended well did so with the files as they were: with others they may no longer be as wanted. */
function refuseMoved(run: UnfinishedRun): void {
  const files = changedFiles(run)
  if (files.length === 0) return
  throw new Problem(`Files have changed since that run, which left ${run.left.join(', ')}`, {
    details: files.map(relativePath),
    next: `Run it for all hosts: ${commandOf(run)}. For those alone: provision resume --anyway.`,
  })
}

/** What a person would type. */
function commandOf({ playbook, inventory, args, flags: { tags, skipTags, startAt } }: UnfinishedRun): string {
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
