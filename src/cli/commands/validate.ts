import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Command } from 'commander'
import { expandWithoutHost } from '../../engine/read/without-hosts.ts'
import { checksFor } from '../../engine/verify.ts'
import type { Verification } from '../../model/check/verification.ts'
import type { Host } from '../../model/inventory/host.ts'
import { assertSchemaFits, type Inventory } from '../../model/inventory/inventory.ts'
import { missingEntries } from '../../model/inventory/schema.ts'
import type { Play } from '../../model/playbook/play.ts'
import type { Playbook } from '../../model/playbook/playbook.ts'
import type { Steps } from '../../model/playbook/steps.ts'
import { Problem, wrapErrors } from '../../model/problem.ts'
import { RELEASES, type Release } from '../../model/resource/facts.ts'
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
    const roles = playbook && validateRoles(inventory, accept(playbook))
    const checks = verification && validateChecks(verification, inventory, { mustFit: !playbook })
    const parts = [roles, checks].flatMap((part) => part || [])
    return { problems: parts.flatMap(({ problems }) => problems), notes: parts.flatMap(({ notes }) => notes) }
  } catch (error) {
    if (error instanceof Problem) return { problems: [error], notes: [] }
    throw error
  }
}

function validateRoles(inventory: Inventory, playbook: Playbook): Result {
  const { problems, steps, notes } = expandPlaybook(inventory, playbook)
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

export interface Expansion {
  readonly problems: readonly Problem[]
  readonly steps: number
  /** Skipped parts, and problems of a single Debian release. */
  readonly notes: readonly string[]
}

/** Expands all plays for all hosts as if the hosts were new. Steps are valid if they can be made for one of the releases. */
function expandPlaybook({ values }: Inventory, playbook: Playbook): Expansion {
  const plays = wrapErrors('the playbook', undefined, () => playbook.plays(values)).map(expandPlay)
  return {
    problems: plays.flatMap(({ problems }) => problems),
    steps: plays.reduce((sum, { steps }) => sum + steps, 0),
    notes: [...new Set(plays.flatMap(({ notes }) => notes))],
  }
}

function expandPlay(play: Play): Expansion {
  const problems = new Map<string, Problem>()
  const notes: string[] = []
  let steps = 0
  for (const host of play.hosts) {
    try {
      const given = wrapErrors(`play "${play.label}" for ${host.name}`, play.source, () => play.steps(host))
      const attempts = RELEASES.map((release) => attempt(given, host, release))
      steps += Math.max(0, ...attempts.map((one) => one.steps))
      const [first] = attempts.flatMap(({ problem }) => problem ?? [])
      if (attempts.some(({ isPartial }) => isPartial))
        notes.push(`${play.label}: steps that depend on answers of hosts were skipped`)
      else if (first && attempts.every(({ problem }) => problem)) problems.set(first.message, first)
      else if (first) notes.push(`${play.label}: ${first.message}`)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      problems.set(error.message, error)
    }
  }
  return { problems: [...problems.values()], steps, notes }
}

interface Attempt {
  readonly steps: number
  readonly problem?: Problem
  /** True if some steps depend on answers of hosts. */
  readonly isPartial: boolean
}

function attempt(steps: Steps, host: Host, release: Release): Attempt {
  try {
    const expansion = expandWithoutHost(steps, host, release)
    return { steps: expansion?.steps.length ?? 0, isPartial: !expansion || expansion.incomplete }
  } catch (error) {
    if (error instanceof Problem) return { steps: 0, isPartial: false, problem: onRelease(error, host, release) }
    throw error
  }
}

function onRelease({ message, where, details, next, cause }: Problem, { name }: Host, { version }: Release): Problem {
  return new Problem(`${name} with Debian ${version}: ${message}`, {
    details,
    ...(where !== undefined && { where }),
    ...(next !== undefined && { next }),
    cause,
  })
}
