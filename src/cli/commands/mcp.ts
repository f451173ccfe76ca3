import { Command } from 'commander'
import { withOptionalPackage } from '../../model/optional-package.ts'
import { existingFile, type Installation, inventoryPath, versionOf } from '../load/paths.ts'
import { type InventoryFlags, withInventoryOption, withTypeCheckOption } from '../options.ts'
import { planCommand } from './plan.ts'

/** `provision mcp`: a server of the Model Context Protocol on standard input and output. */
export function mcpCommand(installation: Installation): Command {
  return withTypeCheckOption(withInventoryOption(new Command('mcp')))
    .description('serve read-only tools to an AI agent by MCP, over standard input and output')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: InventoryFlags) => {
      const inventory = existingFile(inventoryPath(flags.inventory), 'inventory')
      const { serve } = await withOptionalPackage(
        '@modelcontextprotocol/sdk',
        'The server for AI agents',
        () => import('../mcp/server.ts'),
      )
      await serve(versionOf(installation), {
        inventoryArgs: [`--inventory=${inventory}`, ...(flags.typeCheck ? [] : ['--no-type-check'])],
        ownOptions: new Set(planCommand(installation).options.flatMap(({ long }) => long ?? [])),
      })
    })
}

const EXAMPLES = `
Examples:
  provision mcp --inventory inventory/prod.ts

The client of the agent starts it. A plan is applied only after an operator has run provision approve.`
