import { Command } from 'commander'
import { Problem } from '../../model/problem.ts'
import { EXIT, exitCodeOfRun } from '../exit.ts'
import type { Installation } from '../load/paths.ts'
import {
  type RunFlags,
  withConnectionOptions,
  withShowOptions,
  withTypeCheckOption,
  withWaitOption,
} from '../options.ts'
import { askLine } from '../prompt.ts'
import { readPlan } from '../state/plan-file.ts'
import { type ApplyRequest, assertPlanOf, readRequest, writeRequest } from '../state/requests.ts'
import { applyPlan } from './plan.ts'

type ApproveFlags = RunFlags & { readonly signers?: string }

/** `provision approve ID`: shows the plan of a request and, if the operator in the terminal agrees, applies it. */
export function approveCommand(installation: Installation): Command {
  const command = new Command('approve').argument('[request]', 'the ID of a request of `provision mcp`')
  return withTypeCheckOption(withConnectionOptions(withShowOptions(withWaitOption(command))))
    .description('show the plan of a request, ask, and apply it')
    .optionsGroup('Run:')
    .option('--signers <file>', 'the plan must be signed by one of these allowed signers')
    .addHelpText(
      'after',
      '\nExamples:\n  provision approve 1f2e3d4c\n  provision approve 1f2e3d4c --signers allowed_signers',
    )
    .action(async (id: string | undefined, given: ApproveFlags, command: Command) => {
      if (id === undefined)
        throw new Problem('Missing argument <request>', { next: 'The server of the request names its ID.' })
      if (!process.stdin.isTTY || !process.stderr.isTTY)
        throw new Problem('provision approve needs a terminal, in which an operator answers', {
          next: 'Run it yourself. It shows the plan first.',
        })
      const request = readRequest(id)
      if (request.state !== 'pending')
        throw new Problem(`The request ${id} is not pending: it is ${request.state}`, {
          next: 'Have the plan made and requested again.',
        })
      const plan = readPlan(request.plan)
      assertPlanOf(request, plan.content)
      process.stderr.write(`${summaryOf(request, plan.file)}\n`)
      const tools = { command, installation }
      const { status, summary } = await applyPlan(plan, { ...given, check: true, diff: true }, tools)
      if (status !== 'changes') {
        process.exitCode = exitCodeOfRun(summary)
        process.stderr.write(`There is nothing to approve: the plan ends with ${status}.\n`)
        return
      }
      const answer = await askLine(`Apply this plan? Only "yes" applies it: `)
      if (answer !== 'yes') {
        writeRequest({ ...request, state: 'rejected' })
        process.stderr.write('Rejected. Nothing was changed.\n')
        process.exitCode = EXIT.refused
        return
      }
      writeRequest({ ...request, state: 'applying' })
      let code: number = EXIT.usage
      try {
        const applied = await applyPlan(plan, { ...given, check: false }, tools)
        code = exitCodeOfRun(applied.summary)
        process.exitCode = code
      } finally {
        writeRequest({ ...request, state: 'ended', status: code })
      }
    })
}

function summaryOf({ id, at, plan }: ApplyRequest, file: ReturnType<typeof readPlan>['file']): string {
  const { made, inventory, playbook, args, limit, commit } = file
  return [
    `Request ${id} of ${at}: apply ${plan}, made ${made}`,
    `  playbook   ${[playbook, ...args].join(' ')}${limit ? ` --limit ${limit}` : ''}`,
    `  inventory  ${inventory}`,
    ...(commit
      ? [`  commit     ${commit.id}${commit.changed.length > 0 ? ', with changes that are not committed' : ''}`]
      : []),
  ].join('\n')
}
