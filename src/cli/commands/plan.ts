import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import type { PlanContent } from '../../engine/plan/plan-file.ts'
import type { SelectOptions } from '../../engine/read/selection.ts'
import { isRecord } from '../../model/inventory/fields.ts'
import { flagName } from '../../model/playbook/playbook.ts'
import { Problem } from '../../model/problem.ts'
import { markdownReporter } from '../../report/markdown.ts'
import { exitCodeOfRun } from '../exit.ts'
import { type Installation, inventoryPath, playbookPath } from '../load/paths.ts'
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

/** A saved plan: the state of each host, and the files and options that it was made with. It contains no secrets and no file contents. */
interface PlanFile extends PlanContent {
  readonly provision: 1
  readonly made: string
  readonly inventory: string
  readonly playbook: string
  readonly limit?: string
  readonly select?: SelectOptions
  /** The options of the playbook. */
  readonly args: readonly string[]
}

interface PlanFlags extends RunFlags {
  readonly out?: string
  readonly markdown: boolean
}

/** `provision plan --out FILE`: a dry run whose result is saved. */
export function planCommand(installation: Installation): Command {
  return withSelectOptions(withShowOptions(withReachOptions(withPlaybook(new Command('plan')))))
    .description('show what a run would change; --out saves it for apply')
    .addHelpText(
      'after',
      '\nExamples:\n  provision plan --inventory inventory/prod.ts --out friday.json\n  provision plan deploy --release v42 --limit app --out v42.json\n  provision plan --markdown >comment.md',
    )
    .optionsGroup('Output:')
    .option('--out <file>', 'save the plan to this file')
    .option('--markdown', 'print the plan with its diffs for a comment of a pull request', false)
    .action(async (_playbook: string, given: PlanFlags, command: Command) => {
      const { name: playbook = 'site', rest: args } = splitPlaybookArgs(command.args)
      const { out, limit, markdown } = given
      const flags = { ...given, check: true, diff: given.diff || markdown }
      const needsPlan = out !== undefined
      const prepare = needsPlan ? 'reject' : 'call'
      const { summary, plan } = await runPlaybook({
        ...{ playbook, args, flags, command, installation, prepare, needsPlan },
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
      const inventory = resolve(inventoryPath(flags.inventory))
      const select = selectionOf(flags)
      const file: PlanFile = {
        ...{ provision: 1, made: new Date().toISOString(), inventory, playbook, select, args },
        ...(limit && { limit }),
        ...plan,
      }
      writeFileSync(out, `${JSON.stringify(file, undefined, 1)}\n`, { mode: 0o600 })
      const stream = markdown ? process.stderr : process.stdout
      stream.write(`Saved to ${out}. To apply it: provision apply ${out}\n`)
    })
}

/** `provision apply FILE`: a run that starts only if every host is still as planned. */
export function applyCommand(installation: Installation): Command {
  const command = withLimitOption(
    new Command('apply').argument('[plan]', 'a file saved by `provision plan`').usage('[options] <plan>'),
  )
  return withTypeCheckOption(withConnectionOptions(withShowOptions(withWaitOption(withSelectOptions(command)))))
    .description('apply a saved plan, unless a host has changed since')
    .addHelpText('after', '\nExamples:\n  provision apply friday.json\n  provision apply friday.json --limit web1')
    .action(async (path: string | undefined, given: RunFlags, command: Command) => {
      if (path === undefined)
        throw new Problem('Missing argument <plan>', {
          next: 'To make a plan: provision plan --out FILE. To run a playbook without one: provision PLAYBOOK.',
        })
      const { inventory, playbook, limit, args, hosts, select = {} } = readPlan(path)
      const part = { ...selectionOf(given), ...(given.limit !== undefined && { limit: given.limit }) }
      const repeated = Object.keys(part).filter((name) => name in select || (name === 'limit' && limit))
      if (repeated.length > 0)
        throw new Problem(`The plan was made with ${repeated.map(flagName).join(' and ')}`, {
          next: 'Omit the option, or make another plan.',
        })
      const flags = { ...given, ...select, ...(limit && { limit }), inventory, check: false, step: false }
      const expect = { hosts, partly: Object.keys(part).length > 0 }
      const { summary } = await runPlaybook({ playbook, args, flags, command, installation }, { expect })
      process.exitCode = exitCodeOfRun(summary)
    })
}

function readPlan(path: string): PlanFile {
  if (!existsSync(path) && existsSync(playbookPath(path)))
    throw new Problem(`${path} is a playbook, not a saved plan`, { next: `To run it: provision ${path}` })
  const next = `To make a plan: provision plan --out ${path}`
  try {
    const file: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (isRecord(file) && file['provision'] === 1 && isRecord(file['hosts'])) {
      // Version 0.1.0 wrote `words`.
      const args = file['args'] ?? file['words'] ?? []
      return { ...file, args } as unknown as PlanFile
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Problem(`Cannot read the plan ${path}: ${reason}`, { next })
  }
  throw new Problem(`${path} is not a saved plan`, { next })
}
