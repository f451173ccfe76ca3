import { Command } from 'commander'
import { limitOf } from '../../api/limit.ts'
import { type ListStepsOptions, listSteps, type PlaySteps } from '../../engine/read/without-hosts.ts'
import { run } from '../../engine/run.ts'
import type { RunEvent, StepInfo } from '../../model/event.ts'
import { count, groupEqual, stepTitle, table } from '../../report/format.ts'
import { type Paint, paintFor, relativeSource } from '../../report/problem.ts'
import { jsonLine } from '../../report/reporter.ts'
import { EXIT, exitCodeOfCounts } from '../exit.ts'
import { load } from '../load/load.ts'
import { type Installation, inventoryPath, playbookPath } from '../load/paths.ts'
import {
  type OutputFlags,
  type ReachFlags,
  type SelectFlags,
  selectionOf,
  withOutputOption,
  withPlaybook,
  withReachOptions,
  withSelectOptions,
} from '../options.ts'
import { flagParser, splitPlaybookArgs } from '../playbook-flags.ts'
import { printLines, printProblems } from '../print.ts'
import { openSessions } from '../target.ts'

interface ListStepsFlags extends ReachFlags, SelectFlags, OutputFlags {
  readonly ask: boolean
}

/** `provision list-steps [playbook]`: the steps of each host and where they are declared. */
export function listStepsCommand(installation: Installation): Command {
  return withOutputOption(withReachOptions(withSelectOptions(withPlaybook(new Command('list-steps')))))
    .description('list the steps of a playbook by host, with file and line')
    .optionsGroup('Run:')
    .option('--ask', 'connect to the hosts even if the steps can be listed without them', false)
    .addHelpText(
      'after',
      '\nExamples:\n  provision list-steps --limit web\n  provision list-steps deploy --limit app1\n\nConnects to hosts only if steps depend on their state. Otherwise hosts are assumed to be new, with the latest Debian.',
    )
    .action(async (_playbook: string, flags: ListStepsFlags, command: Command) => {
      process.exitCode = await printSteps(flags, command, installation)
    })
}

async function printSteps(flags: ListStepsFlags, command: Command, installation: Installation) {
  const { name = 'site', rest } = splitPlaybookArgs(command.args)
  const { inventory, playbook } = await load(
    { inventory: inventoryPath(flags.inventory), playbook: playbookPath(name) },
    { installation, typeCheck: flags.typeCheck, accept: flagParser(rest, command) },
  )
  const { limit = () => true } = limitOf(flags.limit, inventory)
  const plan = { inventory, playbook, limit, select: selectionOf(flags) }
  const offline = flags.ask ? undefined : listSteps(plan)
  const { steps, code } = offline ? { steps: offline, code: EXIT.ok } : await fromHosts(plan, flags)
  printLines(flags.output === 'json' ? steps.map(asJson) : stepList(steps, paintFor(process.stdout)))
  return code
}

function asJson({ play, host, steps }: PlaySteps): string {
  const places = steps.map((step) => ({ ...step, source: step.source && relativeSource(step.source) }))
  return jsonLine({ kind: 'steps', play, host, steps: places })
}

/** The steps that a dry run finds. */
async function fromHosts(
  plan: ListStepsOptions,
  flags: ListStepsFlags,
): Promise<{ readonly steps: readonly PlaySteps[]; readonly code: number }> {
  const turns = new Map<string, PlaySteps & { readonly steps: StepInfo[] }>()
  const count = { failed: 0, unreachable: 0 }
  const emit = (event: RunEvent) => {
    if (event.kind === 'turn') {
      const { play, host } = event
      turns.set(JSON.stringify([play, host]), { play, host, steps: [] })
    }
    if (event.kind === 'step') turns.get(JSON.stringify([event.play, event.host]))?.steps.push(event.step)
    if (event.kind === 'unreachable') count.unreachable++
    if (event.kind === 'failed') count.failed++
    if (event.kind === 'unreachable' || event.kind === 'failed') printProblems(event.problem)
  }
  await run({ ...plan, mode: 'plan' }, { open: await openSessions(flags), emit })
  return { steps: [...turns.values()], code: exitCodeOfCounts(count) }
}

/** The steps of each play and where they are written; hosts with equal steps are listed together. */
function stepList(outlined: readonly PlaySteps[], paint: Paint): readonly string[] {
  const plays = groupEqual(outlined, ({ play }) => play)
  return plays.flatMap((hosts, i) => [
    ...(i === 0 ? [] : ['']),
    paint('bold', hosts[0].play),
    ...groupEqual(hosts, ({ steps }) => JSON.stringify(steps)).flatMap((same) => [
      `  ${paint('cyan', same.map(({ host }) => host).join(', '))}: ${count(same[0].steps.length, 'step')}`,
      ...table(same[0].steps.map(row), (cell, _row, column) => (column === 0 ? cell : paint('dim', cell))).map(
        (line) => `    ${line}`,
      ),
    ]),
  ])
}

function row(step: StepInfo): readonly string[] {
  return [stepTitle(step), step.roles.join(' › '), step.source ? relativeSource(step.source) : '']
}
