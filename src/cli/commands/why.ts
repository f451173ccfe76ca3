import { Command } from 'commander'
import { why } from '../../api/why.ts'
import { Problem } from '../../model/problem.ts'
import { isNamed } from '../../model/resource/thing.ts'
import { historyOf } from '../../report/journal/history.ts'
import { paintFor } from '../../report/problem.ts'
import { jsonLine } from '../../report/reporter.ts'
import { type WhyReport, whyLines, whyObjects } from '../../report/tables/why.ts'
import { EXIT } from '../exit.ts'
import { load } from '../load/load.ts'
import { type Installation, inventoryPath, playbookPath } from '../load/paths.ts'
import {
  type InventoryFlags,
  type OutputFlags,
  withInventoryOption,
  withOutputOption,
  withTypeCheckOption,
} from '../options.ts'
import { flagParser } from '../playbook-flags.ts'
import { printLines } from '../print.ts'
import { recordedRuns } from '../state/journal.ts'

/** `provision why /etc/motd@web1`: the step that sets a thing, and the run that changed it last. */
export function whyCommand(installation: Installation): Command {
  const command = new Command('why')
    .argument('<thing>', 'a path, package, unit, port or user, with its host: /etc/motd@web1, nginx@web1, 443@lb1')
    .argument('[playbook]', 'a name in playbooks/ or a file, followed by its own options', 'site')
    .allowUnknownOption()
    .allowExcessArguments()
  return withTypeCheckOption(withOutputOption(withInventoryOption(command)))
    .description('show which step sets a thing on a host, and which run changed it last')
    .addHelpText('after', EXAMPLES)
    .action(async (thing: string, _playbook: string, flags: InventoryFlags & OutputFlags, own: Command) => {
      process.exitCode = await explainThing(thing, flags, own, installation)
    })
}

const EXAMPLES = `
Examples:
  provision why /etc/motd@web1
  provision why 443@lb1
  provision why package:nginx@web1 site --output json

Does not connect to hosts. Exit status 1: not managed; 4: unknown, because steps depend on answers of hosts.`

async function explainThing(
  thing: string,
  flags: InventoryFlags & OutputFlags,
  command: Command,
  installation: Installation,
): Promise<number> {
  if (thing.startsWith('-'))
    throw new Problem(`Unexpected option ${thing}`, {
      next: 'The thing comes first, then the playbook with its options: provision why /etc/motd@web1 site.',
    })
  const [, name = 'site', ...rest] = command.args
  const [playbookName, args] = name.startsWith('-') ? ['site', [name, ...rest]] : [name, rest]
  const path = playbookPath(playbookName)
  const { inventory, playbook } = await load(
    { inventory: inventoryPath(flags.inventory), playbook: path },
    { installation, typeCheck: flags.typeCheck, accept: flagParser(args, command) },
  )
  const found = await why({ inventory, playbook, thing })
  const runs = recordedRuns()
  const histories = found.declarations.map(({ turn, step }) =>
    historyOf(runs, (host, one) => host === turn && one.kind === step.kind && one.name === step.name),
  )
  const isManaged = found.declarations.length + found.notifiers.length > 0
  const earlier = historyOf(
    runs,
    (host, { kind, name: own }) =>
      !isManaged &&
      (found.host ?? host) === host &&
      (own === found.name || isNamed({ type: kind, name: own }, found.name)),
  )
  const former = earlier.changed ?? earlier.ok
  const report: WhyReport = { ...found, playbook: path, histories, runs, ...(former && { former }) }
  printLines(flags.output === 'json' ? whyObjects(report).map(jsonLine) : whyLines(report, paintFor(process.stdout)))
  if (isManaged) return EXIT.ok
  return found.unknown.length > 0 ? EXIT.unknown : EXIT.failed
}
