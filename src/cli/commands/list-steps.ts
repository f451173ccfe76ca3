import { Command, Option } from 'commander'
import { type ListStepsOptions, listSteps, type PlaySteps } from '../../engine/read/without-hosts.ts'
import { run } from '../../engine/run.ts'
import type { RunEvent, StepInfo } from '../../model/event.ts'
import { jsonLine } from '../../report/json.ts'
import { paintFor } from '../../report/problem.ts'
import { relativeSource } from '../../report/source-location.ts'
import { stepList } from '../../report/tables/step-list.ts'
import { Secret } from '../../shell/secret.ts'
import { EXIT } from '../exit.ts'
import { matchHosts } from '../limit.ts'
import { type Installation, load } from '../load/load.ts'
import { inventoryPath, playbookPath } from '../load/paths.ts'
import { type ReachFlags, withPlaybook, withReachOptions } from '../options.ts'
import { flagParser, splitPlaybookArgs } from '../playbook-flags.ts'
import { type SelectFlags, selectionOf, withSelectOptions } from '../select.ts'
import { sessions } from '../sessions.ts'
import { connectOptions, exitCodeOfCounts, printProblems } from '../target.ts'

interface StepsFlags extends ReachFlags, SelectFlags {
  readonly ask: boolean
  readonly output: 'plain' | 'json'
}

/** `provision list-steps [playbook]`: what is done where, and which line says so. */
export function listStepsCommand(own: Installation): Command {
  return withSelectOptions(withReachOptions(withPlaybook(new Command('list-steps'))))
    .description(
      'tell which steps a playbook has for which host, and where they are written; changes nothing',
    )
    .option('--ask', 'ask the hosts, although their answers are not needed to know', false)
    .addOption(
      new Option('-o, --output <how>', 'how to show them').choices(['plain', 'json']).default('plain'),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  provision list-steps --limit web\n  provision list-steps deploy --limit app1\n\nHosts are asked only when steps hang on their answers; otherwise they are taken as new ones with the newest Debian.',
    )
    .action(async (_playbook: string, flags: StepsFlags, command: Command) => {
      process.exitCode = await steps(flags, command, own)
    })
}

async function steps(flags: StepsFlags, command: Command, own: Installation): Promise<number> {
  const { name = 'site', rest } = splitPlaybookArgs(command.args)
  const { inventory, playbook } = await load({
    inventory: inventoryPath(flags.inventory),
    playbook: playbookPath(name),
    own,
    typeCheck: flags.typeCheck,
    accept: flagParser(rest, command),
  })
  const limit = flags.limit === undefined ? () => true : matchHosts(flags.limit, inventory.hosts)
  const plan = { inventory, playbook, limit, select: selectionOf(flags) }
  const madeUp = flags.ask ? undefined : listSteps(plan)
  const { outlined, code } = madeUp ? { outlined: madeUp, code: EXIT.ok } : await asked(plan, flags)
  const lines = flags.output === 'json' ? outlined.map(asJson) : stepList(outlined, paintFor(process.stdout))
  for (const line of lines) process.stdout.write(`${Secret.redact(line)}\n`)
  return code
}

function asJson({ play, host, steps }: PlaySteps): string {
  const places = steps.map((step) => ({ ...step, source: step.source && relativeSource(step.source) }))
  return jsonLine({ kind: 'steps', play, host, steps: places })
}

/** As a run with `--check` would find them. */
async function asked(
  plan: ListStepsOptions,
  flags: StepsFlags,
): Promise<{ readonly outlined: readonly PlaySteps[]; readonly code: number }> {
  const { transportOf, become, settings } = await connectOptions(flags)
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
    if (event.kind === 'unreachable' || event.kind === 'failed') printProblems([event.problem])
  }
  await run({ ...plan, mode: 'plan' }, { open: sessions(transportOf, become, settings), emit })
  return { outlined: [...turns.values()], code: exitCodeOfCounts(count) }
}
