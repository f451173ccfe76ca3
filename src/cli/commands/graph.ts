import { writeFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import { ingressByHost } from '../../engine/read/without-hosts.ts'
import type { Inventory } from '../../model/inventory/inventory.ts'
import { assertSchemaFits } from '../../model/inventory/inventory.ts'
import type { Playbook } from '../../model/playbook/playbook.ts'
import { wrapErrors } from '../../model/problem.ts'
import { graphSvg } from '../../report/graph/svg.ts'
import { graphMermaid, graphText } from '../../report/graph/text.ts'
import type { Graph } from '../../report/graph/topology.ts'
import { playNode, topologyOf } from '../../report/graph/topology.ts'
import { load } from '../load/load.ts'
import { type Installation, inventoryPath, playbookPath } from '../load/paths.ts'
import { withInventoryOption, withPlaybook } from '../options.ts'
import { flagParser, splitPlaybookArgs } from '../playbook-flags.ts'

const FORMATS = {
  text: (graph: Graph) => `${graphText(graph)}\n`,
  mermaid: (graph: Graph) => `${graphMermaid(graph)}\n`,
  svg: graphSvg,
}

interface GraphFlags {
  readonly inventory?: string
  readonly format: keyof typeof FORMATS
  readonly out?: string
}

/** `provision graph`: the tiers, the connections between them, and the order of the plays. */
export function graphCommand(installation: Installation): Command {
  return withInventoryOption(withPlaybook(new Command('graph')))
    .description('draw the tiers, their connections and the order of the plays')
    .optionsGroup('Output:')
    .addOption(new Option('-f, --format <format>', 'the output format').choices(Object.keys(FORMATS)).default('text'))
    .option('--out <file>', 'write to this file instead of the terminal')
    .addHelpText('after', EXAMPLES)
    .action(async (_playbook: string, { inventory, format, out }: GraphFlags, command: Command) => {
      const { name = 'site', rest } = splitPlaybookArgs(command.args)
      const loaded = await load(
        { inventory: inventoryPath(inventory), playbook: playbookPath(name) },
        { installation, typeCheck: false, accept: flagParser(rest, command) },
      )
      const text = FORMATS[format](graphOf(loaded))
      if (out === undefined) process.stdout.write(text)
      else writeFileSync(out, text)
    })
}

const EXAMPLES = `
Examples:
  provision graph --inventory inventory/prod.ts
  provision graph --inventory inventory/prod.ts --format svg --out stack.svg
  provision graph deploy --inventory inventory/prod.ts --format mermaid

Connections are those that the firewalls of the roles allow.`

interface GraphInput {
  readonly inventory: Inventory
  readonly playbook: Playbook
}

function graphOf({ inventory, playbook }: GraphInput): Graph {
  assertSchemaFits(playbook, inventory)
  const plays = wrapErrors('the playbook', undefined, () => playbook.plays(inventory.values))
  const admissions = ingressByHost(plays)
  const topology = topologyOf(
    inventory.hosts.map(({ name, group, address }) => ({ name, group, address, admits: admissions.get(name) })),
  )
  return { topology, plays: plays.map((play) => playNode(play, topology.tiers)) }
}
