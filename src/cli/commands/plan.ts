import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import type { PlanContent } from '../../engine/plan/plan-file.ts'
import type { SelectOptions } from '../../engine/read/selection.ts'
import { isRecord } from '../../model/inventory/fields.ts'
import { flagName } from '../../model/playbook/flags.ts'
import { Problem } from '../../model/problem.ts'
import { paintFor, showProblem } from '../../report/problem.ts'
import type { Installation } from '../load/load.ts'
import { inventoryPath } from '../load/paths.ts'
import {
  type RunFlags,
  withLimitOption,
  withLoginOptions,
  withPlaybook,
  withReachOptions,
  withShowOptions,
  withWaitOption,
} from '../options.ts'
import { splitPlaybookArgs } from '../playbook-flags.ts'
import { exitCodeOfRun, runPlaybook } from '../run.ts'
import { selectionOf, withSelectOptions } from '../select.ts'

/** A plan on disk: what was found on each host, and with which files and flags. Holds no secret and no content. */
interface PlanFile extends PlanContent {
  readonly provision: 1
  readonly made: string
  readonly inventory: string
  readonly playbook: string
  readonly limit?: string
  readonly select?: SelectOptions
  /** What the command line said to the playbook. */
  readonly args: readonly string[]
}

/** `provision plan --out FILE`: like --check, and keeps what it saw. */
export function planCommand(own: Installation): Command {
  return withSelectOptions(withShowOptions(withReachOptions(withPlaybook(new Command('plan')))))
    .description('say what a run would change, and keep it for `provision apply`')
    .addHelpText(
      'after',
      '\nExamples:\n  provision plan --inventory inventory/prod.ts --out friday.json\n  provision plan deploy --release v42 --limit app --out v42.json',
    )
    .requiredOption('--out <file>', 'where to keep the plan')
    .action(async (_playbook: string, given: RunFlags & { readonly out: string }, command: Command) => {
      const { name: playbook = 'site', rest: args } = splitPlaybookArgs(command.args)
      let record: PlanContent | undefined
      const flags = { ...given, check: true }
      const surveyed = (found: PlanContent) => {
        record = found
      }
      const summary = await runPlaybook(
        { playbook, args, flags, command, own, prepares: 'cannot' },
        { surveyed },
      )
      process.exitCode = exitCodeOfRun(summary)
      if (!record || summary.hosts.some(({ failed, unreachable }) => failed > 0 || unreachable)) {
        const none = new Problem('No plan was kept: not every host could be read.', {
          next: 'Mend what is said of those above, or plan without them: --limit.',
        })
        // The status tells, as after a run, whether hosts failed or could not be reached.
        process.stderr.write(`${showProblem(none, paintFor(process.stderr))}\n`)
        return
      }
      const inventory = resolve(inventoryPath(flags.inventory))
      const { limit, out } = flags
      const file: PlanFile = {
        provision: 1,
        made: new Date().toISOString(),
        inventory,
        playbook,
        ...(limit && { limit }),
        select: selectionOf(flags),
        args,
        ...record,
      }
      writeFileSync(out, `${JSON.stringify(file, undefined, 1)}\n`, { mode: 0o600 })
      process.stdout.write(`The plan is in ${out}. Carry it out: provision apply ${out}\n`)
    })
}

/** `provision apply FILE`: a run that begins only when every host is still as it was planned. */
export function applyCommand(own: Installation): Command {
  const command = new Command('apply').argument('<plan>', 'the file that `provision plan` has written')
  return withWaitOption(withLoginOptions(withShowOptions(withSelectOptions(withLimitOption(command)))))
    .description('carry out a plan, or a part of it, unless something has moved since it was made')
    .addHelpText(
      'after',
      '\nExamples:\n  provision apply friday.json\n  provision apply friday.json --limit web1',
    )
    .action(async (path: string, given: RunFlags, command: Command) => {
      const { inventory, playbook, limit, args, hosts, select = {} } = readPlan(path)
      const part = { ...selectionOf(given), ...(given.limit !== undefined && { limit: given.limit }) }
      const twice = Object.keys(part).filter((name) => name in select || (name === 'limit' && limit))
      if (twice.length > 0)
        throw new Problem(`The plan was made with ${twice.map(flagName).join(' and ')} already`, {
          next: 'Leave it away, or make another plan.',
        })
      const flags = { ...given, ...select, ...(limit && { limit }), inventory, check: false, step: false }
      const expect = { hosts, partly: Object.keys(part).length > 0 }
      process.exitCode = exitCodeOfRun(await runPlaybook({ playbook, args, flags, command, own }, { expect }))
    })
}

function readPlan(path: string): PlanFile {
  const next = `Make one: provision plan --out ${path}`
  try {
    const file: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (isRecord(file) && file['provision'] === 1 && isRecord(file['hosts'])) {
      // Plans of earlier versions have `words`.
      const args = file['args'] ?? file['words'] ?? []
      return { ...file, args } as unknown as PlanFile
    }
  } catch (error) {
    throw new Problem(
      `The plan ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      { next },
    )
  }
  throw new Problem(`${path} is no plan`, { next })
}
