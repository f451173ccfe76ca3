import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Command } from 'commander'
import { validate as validateSteps } from '../../api/validate.ts'
import { checksFor } from '../../engine/verify.ts'
import type { Verification } from '../../model/check/verification.ts'
import { assertSchemaFits, type Inventory } from '../../model/inventory/inventory.ts'
import { missingEntries } from '../../model/inventory/schema.ts'
import type { Playbook } from '../../model/playbook/playbook.ts'
import { Problem } from '../../model/problem.ts'
import { elapsed } from '../../shell/duration.ts'
import { EXIT } from '../exit.ts'
import { findCompiler, findTsconfig } from '../load/compiler.ts'
import { type CompiledFiles, compile, importDefault } from '../load/load.ts'
import { existingFile, type Installation, playbookPath } from '../load/paths.ts'
import { projectErrors } from '../load/templates.ts'
import { formatError } from '../load/type-check.ts'
import { withInventoryOption, withPlaybook } from '../options.ts'
import { flagParser, splitPlaybookArgs } from '../playbook-flags.ts'
import { printProblems } from '../print.ts'

/** `provision validate`: finds all errors that can be found without a host. */
export function validateCommand(installation: Installation): Command {
  return withInventoryOption(withPlaybook(new Command('validate')))
    .description('find errors in the project without connecting to hosts')
    .addHelpText(
      'after',
      '\nExamples:\n  provision validate\n  provision validate deploy --inventory inventory/prod.ts',
    )
    .action(async (_playbook: string, flags: { readonly inventory?: string }, command: Command) => {
      const began = performance.now()
      const inventory = flags.inventory ?? process.env['PROVISION_INVENTORY']
      const { problems, notes } = await validate({ installation, command, ...(inventory && { inventory }) })
      printProblems(...problems)
      if (problems.length === 0)
        process.stdout.write([...notes, `No errors found. (${elapsed(performance.now() - began)})\n`].join('\n'))
      process.exitCode = problems.length === 0 ? EXIT.ok : EXIT.failed
    })
}

interface Input {
  readonly installation: Installation
  readonly command: Command
  readonly inventory?: string
}

interface Result {
  readonly problems: readonly Problem[]
  /** The validated and the skipped parts. */
  readonly notes: readonly string[]
}

async function validate({ installation, command, inventory }: Input): Promise<Result> {
  const { name = 'site', rest } = splitPlaybookArgs(command.args)
  const playbook = existingFile(playbookPath(name), 'playbook')
  const verification = playbookPath('verify')
  const paths = {
    playbook,
    ...(existsSync(verification) && { verification: resolve(verification) }),
    ...(inventory !== undefined && { inventory: existingFile(inventory, 'inventory') }),
  }
  const compiled = await compile(paths, installation)
  const results = await Promise.all([
    validateTypes(paths.playbook, compiled, installation),
    validateValues({ paths, outdir: compiled.outdir, accept: flagParser(rest, command) }),
  ])
  return { problems: results.flatMap(({ problems }) => problems), notes: results.flatMap(({ notes }) => notes) }
}

async function validateTypes(
  from: string,
  { inputs, outdir }: CompiledFiles,
  installation: Installation,
): Promise<Result> {
  const compiler = findCompiler(from, installation)
  if (!compiler) return { problems: [], notes: ['Types and templates: not validated, TypeScript is not installed.'] }
  const tsconfig = findTsconfig(from)
  const { errors, templates } = await projectErrors({
    root: dirname(tsconfig ?? from),
    tsconfig,
    compiler,
    files: inputs.filter((file) => !file.includes('/node_modules/')),
    scratch: join(outdir, 'validate'),
    installation,
  })
  if (errors.length === 0)
    return { problems: [], notes: [`Types: no errors in the project and in ${templates} templates.`] }
  return {
    problems: [new Problem('The TypeScript compiler found errors', { details: errors.flatMap(formatError) })],
    notes: [],
  }
}

interface ValuesInput {
  readonly paths: { readonly playbook: string; readonly verification?: string; readonly inventory?: string }
  readonly outdir: string
  readonly accept: (playbook: Playbook) => Playbook
}

/** Imports the files: values of the inventory, its fit with the playbook, and the steps of all roles. */
async function validateValues({ paths, outdir, accept }: ValuesInput): Promise<Result> {
  try {
    // `provision validate verify` validates the verification only.
    const playbook =
      paths.playbook === paths.verification ? undefined : await importDefault(outdir, 'playbook', paths.playbook)
    const verification = paths.verification && (await importDefault(outdir, 'verification', paths.verification))
    if (paths.inventory === undefined)
      return { problems: [], notes: ['Inventory, roles and checks: not validated. Use --inventory FILE.'] }
    const inventory = await importDefault(outdir, 'inventory', paths.inventory)
    if (playbook) assertSchemaFits(playbook, inventory)
    const roles = playbook && (await validateRoles(inventory, accept(playbook)))
    const checks = verification && validateChecks(verification, inventory, { mustFit: !playbook })
    const parts = [roles, checks].flatMap((part) => part || [])
    return { problems: parts.flatMap(({ problems }) => problems), notes: parts.flatMap(({ notes }) => notes) }
  } catch (error) {
    if (error instanceof Problem) return { problems: [error], notes: [] }
    throw error
  }
}

async function validateRoles(inventory: Inventory, playbook: Playbook): Promise<Result> {
  const { problems, steps, notes } = await validateSteps({ inventory, playbook })
  return {
    problems,
    notes: [
      `Inventory: ${inventory.hosts.length} hosts match the schema.`,
      `Roles: ${steps} steps for new hosts with Debian 12 or 13.`,
      ...notes.map((note) => `  ${note}`),
    ],
  }
}

function validateChecks(
  verification: Verification,
  inventory: Inventory,
  { mustFit }: { readonly mustFit: boolean },
): Result {
  if (mustFit) assertSchemaFits(verification, inventory)
  else if (missingEntries(verification.schema, inventory.values).length > 0)
    return { problems: [], notes: ['Verification: not validated, its schema is for another inventory.'] }
  const checks = checksFor(verification, inventory)
  const hosts = new Set(checks.flatMap(({ asks }) => asks.map(({ host }) => host.name)))
  return { problems: [], notes: [`Verification: ${checks.length} checks of ${hosts.size} hosts.`] }
}
