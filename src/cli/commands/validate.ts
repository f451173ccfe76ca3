import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Command } from 'commander'
import { checksFor } from '../../engine/verify.ts'
import type { Verification } from '../../model/check/verification.ts'
import type { Inventory } from '../../model/inventory/inventory.ts'
import { assertSchemaFits } from '../../model/inventory/inventory.ts'
import { missingEntries } from '../../model/inventory/schema.ts'
import type { Playbook } from '../../model/playbook/playbook.ts'
import { Problem } from '../../model/problem.ts'
import { paintFor, showProblem } from '../../report/problem.ts'
import { elapsed } from '../../shell/duration.ts'
import { EXIT } from '../exit.ts'
import { findCompiler, findTsconfig } from '../load/compiler.ts'
import {
  type CompiledFiles,
  compile,
  existingFile,
  type Installation,
  importInventory,
  importPlaybook,
  importVerification,
} from '../load/load.ts'
import { playbookPath } from '../load/paths.ts'
import { projectErrors } from '../load/templates.ts'
import { formatError } from '../load/type-check.ts'
import { flagParser, splitPlaybookArgs } from '../playbook-flags.ts'
import { type Expansion, expandPlaybook } from './expand.ts'

interface CheckFlags {
  readonly inventory?: string
}

/** `provision validate`: all that can be known to be wrong without a host. */
export function validateCommand(own: Installation): Command {
  return new Command('validate')
    .description(
      'find what is wrong without touching a host: types, templates, inventory, playbook, roles, checks',
    )
    .argument('[playbook]', 'a file, or a name below playbooks/; its own flags go after it', 'site')
    .allowUnknownOption()
    .allowExcessArguments()
    .option('-i, --inventory <file>', 'the inventory, a TypeScript file; $PROVISION_INVENTORY otherwise')
    .addHelpText(
      'after',
      '\nExamples:\n  provision validate\n  provision validate deploy --inventory inventory/prod.ts',
    )
    .action(async (_playbook: string, flags: CheckFlags, command: Command) => {
      const inventory = flags.inventory ?? process.env['PROVISION_INVENTORY']
      const { problems, words } = await checked({ own, command, ...(inventory && { inventory }) })
      for (const problem of problems)
        process.stderr.write(`${showProblem(problem, paintFor(process.stderr))}\n`)
      if (problems.length === 0) process.stdout.write(`${words.join('\n')}\n`)
      process.exitCode = problems.length === 0 ? EXIT.ok : EXIT.failed
    })
}

interface Checking {
  readonly own: Installation
  readonly command: Command
  readonly inventory?: string
}

interface Checked {
  readonly problems: readonly Problem[]
  /** What was found to be well. */
  readonly words: readonly string[]
}

async function checked({ own, command, inventory }: Checking): Promise<Checked> {
  const began = performance.now()
  const { name = 'site', rest } = splitPlaybookArgs(command.args)
  const playbook = existingFile(playbookPath(name), 'playbook')
  const verification = playbookPath('verify')
  const paths = {
    playbook,
    ...(existsSync(verification) && { verification: resolve(verification) }),
    ...(inventory !== undefined && { inventory: existingFile(inventory, 'inventory') }),
  }
  const made = await compile(paths, own)
  const compiling = typesOf(paths.playbook, made, own)
  const values = valuesOf({ paths, outdir: made.outdir, accept: flagParser(rest, command) })
  const [types, site] = await Promise.all([compiling, values])
  return {
    problems: [...types.problems, ...site.problems],
    words: [...types.words, ...site.words, `All is well (${elapsed(performance.now() - began)}).`],
  }
}

/** What the compiler says of the project and its templates. */
async function typesOf(from: string, { inputs, outdir }: CompiledFiles, own: Installation): Promise<Checked> {
  const compiler = findCompiler(from, own)
  if (!compiler)
    return { problems: [], words: ['Types and templates were not checked: there is no TypeScript compiler.'] }
  const tsconfig = findTsconfig(from)
  const root = tsconfig ? dirname(tsconfig) : dirname(from)
  const { faults, templates } = await projectErrors({
    root,
    tsconfig,
    compiler,
    files: inputs.filter((file) => !file.includes('/node_modules/')),
    scratch: join(outdir, 'check'),
    ownSources: !own.compiled.endsWith('/dist/src/'),
  })
  if (faults.length === 0)
    return { problems: [], words: [`Types: no faults in the project, nor in ${templates} templates.`] }
  return {
    problems: [
      new Problem('The TypeScript compiler does not agree.', { details: faults.flatMap(formatError) }),
    ],
    words: [],
  }
}

interface Values {
  readonly paths: { readonly playbook: string; readonly verification?: string; readonly inventory?: string }
  readonly outdir: string
  readonly accept: (playbook: Playbook) => Playbook
}

/** What the files themselves say when they are run: the inventory's values, its pairing with the playbook, the steps of all roles. */
async function valuesOf({ paths, outdir, accept }: Values): Promise<Checked> {
  try {
    // `provision validate verify` is about the verification alone.
    const alone =
      paths.playbook === paths.verification ? undefined : await importPlaybook(outdir, paths.playbook)
    const verification = paths.verification && (await importVerification(outdir, paths.verification))
    if (paths.inventory === undefined) {
      return {
        problems: [],
        words: ['Inventory, roles and checks were not looked at: say --inventory FILE.'],
      }
    }
    const inventory = await importInventory(outdir, paths.inventory)
    if (alone) assertSchemaFits(alone, inventory)
    const roles = alone && wordsOf(inventory, expandPlaybook(inventory, accept(alone)))
    const checks = verification && checksOf(verification, inventory, { alone: !alone })
    const parts = [roles, checks].flatMap((part) => part || [])
    return {
      problems: parts.flatMap(({ problems }) => problems),
      words: parts.flatMap(({ words }) => words),
    }
  } catch (error) {
    if (error instanceof Problem) return { problems: [error], words: [] }
    throw error
  }
}

/** @property alone whether nothing else is looked at: then it has to fit */
function checksOf(
  verification: Verification,
  inventory: Inventory,
  { alone }: { readonly alone: boolean },
): Checked {
  if (alone) assertSchemaFits(verification, inventory)
  else if (missingEntries(verification.schema, inventory.values).length > 0)
    return { problems: [], words: ['The verification is for another stack, and was not looked at.'] }
  const checks = checksFor(verification, inventory)
  const hosts = new Set(checks.flatMap(({ asks }) => asks.map(({ host }) => host.name)))
  return { problems: [], words: [`Verification: ${checks.length} checks of ${hosts.size} hosts.`] }
}

function wordsOf({ hosts }: Inventory, { problems, steps, notes }: Expansion): Checked {
  return {
    problems,
    words: [
      `Inventory: ${hosts.length} hosts fit the stack.`,
      `Roles: ${steps} steps on hosts that have nothing yet, with Debian 12 or 13.`,
      ...notes.map((note) => `  ${note}`),
    ],
  }
}
