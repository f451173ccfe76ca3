import { existsSync, realpathSync } from 'node:fs'
import { Command } from 'commander'
import type { Inventory } from '../../model/inventory/inventory.ts'
import { flagName } from '../../model/playbook/playbook.ts'
import { Problem } from '../../model/problem.ts'
import { markdownReporter } from '../../report/markdown.ts'
import { exitCodeOfRun } from '../exit.ts'
import { existingFile, type Installation, inventoryPath } from '../load/paths.ts'
import {
  type RunFlags,
  selectionOf,
  withConnectionOptions,
  withLimitOption,
  withPlaybook,
  withReachOptions,
  withSelectOptions,
  withShowOptions,
  withTypeCheckOption,
  withWaitOption,
} from '../options.ts'
import { splitPlaybookArgs } from '../playbook-flags.ts'
import { printProblems } from '../print.ts'
import { runPlaybook } from '../run.ts'
import {
  assertSameCommit,
  assertSameSources,
  commitFor,
  type PlanFile,
  type ReadPlan,
  readPlan,
  sourcesOf,
  writePlan,
} from '../state/plan-file.ts'
import { assertIntact, assertSignedBy } from '../state/signature.ts'

interface PlanFlags extends RunFlags {
  readonly out?: string
  readonly sign?: string
  readonly markdown: boolean
}

/** `provision plan --out FILE`: a dry run whose result is saved. */
export function planCommand(installation: Installation): Command {
  return withSelectOptions(withShowOptions(withReachOptions(withPlaybook(new Command('plan')))))
    .description('show what a run would change; --out saves it for apply')
    .addHelpText(
      'after',
      '\nExamples:\n  provision plan --inventory inventory/prod.ts --out friday.json\n  provision plan deploy --release v42 --limit app --out v42.json --sign ~/.ssh/id_ed25519\n  provision plan --markdown >comment.md',
    )
    .optionsGroup('Output:')
    .option('--out <file>', 'save the plan to this file')
    .option('--sign <file>', 'sign the saved plan with this SSH key, into FILE.sig')
    .option('--markdown', 'print the plan with its diffs for a comment of a pull request', false)
    .action(async (_playbook: string, given: PlanFlags, command: Command) => {
      const { name: playbook = 'site', rest: args } = splitPlaybookArgs(command.args)
      const { out, sign, limit, markdown } = given
      const inventory = existingFile(inventoryPath(given.inventory), 'inventory')
      if (sign !== undefined && out === undefined)
        throw new Problem('--sign needs a saved plan', { next: 'Add --out FILE.' })
      if (sign !== undefined && !existsSync(sign))
        throw new Problem(`The key ${sign} does not exist`, { next: 'Give the path of a private or public SSH key.' })
      const commit = out === undefined ? undefined : commitFor(inventory, { isSigned: sign !== undefined })
      const flags = { ...given, check: true, diff: given.diff || markdown }
      const needsPlan = out !== undefined
      const prepare = needsPlan ? 'reject' : 'call'
      let sources: PlanFile['sources'] = {}
      const onLoad = ({ files }: { readonly files: readonly string[] }) => {
        sources = needsPlan ? sourcesOf(files) : {}
      }
      const { summary, plan } = await runPlaybook({
        ...{ playbook, args, flags, command, installation, prepare, needsPlan, onLoad },
        ...(markdown && { reporter: markdownReporter((text) => process.stdout.write(text)) }),
      })
      process.exitCode = exitCodeOfRun(summary)
      if (out === undefined) return
      if (summary.refused) {
        printProblems(
          new Problem('The plan was not saved: policies refuse it', {
            next: 'Change the playbook, or add a waiver to the inventory. Then make the plan again.',
          }),
        )
        return
      }
      if (summary.interrupted || summary.hosts.some(({ failed, unreachable }) => failed > 0 || unreachable)) {
        printProblems(
          new Problem('The plan was not saved: not all hosts could be read', {
            next: 'Fix the errors above, or exclude these hosts with --limit.',
          }),
        )
        return
      }
      const file: PlanFile = {
        ...{ provision: 1, made: new Date().toISOString(), inventory, playbook, select: selectionOf(flags), args },
        ...(limit && { limit }),
        ...(commit && { commit }),
        sources,
        ...plan,
      }
      writePlan(out, file, sign)
      const stream = markdown ? process.stderr : process.stdout
      stream.write(`${sign ? 'Signed and saved' : 'Saved'} to ${out}. To apply it: provision apply ${out}\n`)
    })
}

interface ApplyFlags extends RunFlags {
  readonly signers?: string
}

/** `provision apply FILE`: a run that starts only if every host is still as planned. */
export function applyCommand(installation: Installation): Command {
  const command = withLimitOption(
    new Command('apply').argument('[plan]', 'a file saved by `provision plan`').usage('[options] <plan>'),
  ).option('-i, --inventory <file>', 'the plan must be for this inventory; default: the one that it names')
  return withTypeCheckOption(withConnectionOptions(withShowOptions(withWaitOption(withSelectOptions(command)))))
    .description('apply a saved plan, unless a host has changed since')
    .optionsGroup('Run:')
    .option('--signers <file>', 'the plan must be signed by one of these allowed signers')
    .addHelpText(
      'after',
      '\nExamples:\n  provision apply friday.json\n  provision apply friday.json --limit web1\n  provision apply friday.json --signers allowed_signers --inventory inventory/prod.ts',
    )
    .action(async (path: string | undefined, given: ApplyFlags, command: Command) => {
      if (path === undefined)
        throw new Problem('Missing argument <plan>', {
          next: 'To make a plan: provision plan --out FILE. To run a playbook without one: provision PLAYBOOK.',
        })
      const plan = readPlan(path)
      const { summary } = await applyPlan(plan, given, { command, installation })
      process.exitCode = exitCodeOfRun(summary)
    })
}

interface ApplyTools {
  readonly command: Command
  readonly installation: Installation
}

/** Runs the playbook of a saved plan, or with `check` a dry run of it. @throws Problem if anything differs from the plan */
export async function applyPlan(
  plan: ReadPlan,
  given: ApplyFlags,
  { command, installation }: ApplyTools,
): ReturnType<typeof runPlaybook> {
  const { inventory, playbook, limit, args, hosts, inventoryHash, select = {} } = plan.file
  const part = { ...selectionOf(given), ...(given.limit !== undefined && { limit: given.limit }) }
  const repeated = Object.keys(part).filter((name) => name in select || (name === 'limit' && limit))
  if (repeated.length > 0)
    throw new Problem(`The plan was made with ${repeated.map(flagName).join(' and ')}`, {
      next: 'Omit the option, or make another plan.',
    })
  // Before anything that the plan names is loaded.
  if (given.signers === undefined) assertIntact(plan)
  else reportSigner(plan, given.signers)
  if (given.inventory !== undefined) assertFor(plan, given.inventory)
  assertSameCommit(plan.file)
  const flags = { ...given, ...select, ...(limit && { limit }), inventory, check: given.check ?? false, step: false }
  const expect = {
    ...{ hosts, partly: Object.keys(part).length > 0 },
    ...(inventoryHash !== undefined && { inventoryHash }),
  }
  const onLoad = (loaded: { readonly inventory: Inventory; readonly files: readonly string[] }) => {
    assertSameSources(plan.file, loaded.files)
    if (loaded.inventory.allowedSigners !== undefined) reportSigner(plan, loaded.inventory.allowedSigners)
  }
  return runPlaybook({ playbook, args, flags, command, installation, onLoad }, { expect })
}

function reportSigner(plan: ReadPlan, signers: string): void {
  process.stderr.write(`${plan.path} is signed by ${assertSignedBy(plan, signers)}.\n`)
}

/** @throws Problem if the plan is for another inventory */
function assertFor({ path, file }: ReadPlan, wanted: string): void {
  const own = existingFile(file.inventory, 'inventory')
  if (realpathSync(own) === realpathSync(existingFile(wanted, 'inventory'))) return
  throw new Problem(`${path} is a plan for the inventory ${file.inventory}`, {
    next: 'Omit --inventory, or make a plan for this one.',
  })
}
