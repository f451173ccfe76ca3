import { writeFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import { ingressOf } from '../../engine/read/without-hosts.ts'
import { assertSchemaFits } from '../../model/inventory/inventory.ts'
import { wrapErrors } from '../../model/problem.ts'
import { graphMermaid } from '../../report/graph/mermaid.ts'
import { graphSvg } from '../../report/graph/svg.ts'
import { graphText } from '../../report/graph/text.ts'
import { type Graph, playNode, topologyOf } from '../../report/graph/topology.ts'
import { type Installation, load } from '../load/load.ts'
import { inventoryPath, playbookPath } from '../load/paths.ts'
import { withPlaybook } from '../options.ts'
import { flagParser, splitPlaybookArgs } from '../playbook-flags.ts'

const FORMATS = {
  text: (drawing: Graph) => `${graphText(drawing)}\n`,
  mermaid: (drawing: Graph) => `${graphMermaid(drawing)}\n`,
  svg: graphSvg,
}

interface GraphFlags {
  readonly inventory?: string
  readonly format: keyof typeof FORMATS
  readonly out?: string
}

/** `provision graph`: tiers, hosts, who talks to whom, and the plays in their order. Reaches no host. */
export function graphCommand(own: Installation): Command {
  return withPlaybook(new Command('graph'))
    .description('draw the tiers, who talks to whom, and the order of plays; asks no host')
    .option('-i, --inventory <file>', 'the inventory, a TypeScript file; $PROVISION_INVENTORY otherwise')
    .addOption(
      new Option('-f, --format <format>', 'how to draw').choices(Object.keys(FORMATS)).default('text'),
    )
    .option('--out <file>', 'where to write it, instead of to the screen')
    .addHelpText('after', EXAMPLES)
    .action(async (_playbook: string, { inventory, format, out }: GraphFlags, command: Command) => {
      const { name = 'site', rest } = splitPlaybookArgs(command.args)
      const loaded = await load({
        inventory: inventoryPath(inventory),
        playbook: playbookPath(name),
        own,
        typeCheck: false,
        accept: flagParser(rest, command),
      })
      const drawn = FORMATS[format](drawingOf(loaded))
      if (out === undefined) process.stdout.write(drawn)
      else writeFileSync(out, drawn)
    })
}

const EXAMPLES = `
Examples:
  provision graph --inventory inventory/prod.ts
  provision graph --inventory inventory/prod.ts --format svg --out stack.svg
  provision graph deploy --inventory inventory/prod.ts --format mermaid

Who talks to whom is what the firewalls of the roles let in.`

function drawingOf({
  inventory,
  playbook,
}: Pick<Awaited<ReturnType<typeof load>>, 'inventory' | 'playbook'>): Graph {
  assertSchemaFits(playbook, inventory)
  const plays = wrapErrors('the playbook', undefined, () => playbook.plays(inventory.values))
  const admissions = ingressOf(plays)
  const topology = topologyOf(
    inventory.hosts.map(({ name, group, address }) => ({
      name,
      group,
      address,
      admits: admissions.get(name),
    })),
  )
  return { topology, plays: plays.map((play) => playNode(play, topology.tiers)) }
}
