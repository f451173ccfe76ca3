import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import type { PlanRecord } from '../engine/plan-record.ts'
import { isRecord } from '../model/fields.ts'
import { Problem } from '../model/problem.ts'
import { playbookWords, telling } from './flags.ts'
import type { Own } from './load.ts'
import { exitOf, inventoryPath, perform, type RunFlags, withRunOptions } from './run.ts'

/** A plan on disk: what was found on each host, and with which files and flags. Holds no secret and no content. */
interface PlanFile extends PlanRecord {
  readonly provision: 1
  readonly made: string
  readonly inventory: string
  readonly playbook: string
  readonly limit?: string
  /** What the command line said to the playbook. */
  readonly words: readonly string[]
}

/** `provision plan --out FILE`: like --check, and keeps what it saw. */
export function planCommand(own: Own): Command {
  return withRunOptions(new Command('plan'))
    .description('say what a run would change, and keep it for `provision apply`')
    .requiredOption('--out <file>', 'where to keep the plan')
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (_playbook: string, flags: RunFlags & { readonly out: string }, command: Command) => {
      const { name: playbook = 'site', rest: words } = playbookWords(command.args)
      let record: PlanRecord | undefined
      const summary = await perform(playbook, { ...flags, check: true }, own, {
        accept: telling(words, command),
        surveyed: (found) => {
          record = found
        },
      })
      process.exitCode = exitOf(summary)
      if (!record || summary.hosts.some(({ failed, unreachable }) => failed > 0 || unreachable)) {
        throw new Problem('No plan was kept: not every host could be read.')
      }
      const inventory = resolve(inventoryPath(flags.inventory))
      const { limit } = flags
      const file: PlanFile = {
        provision: 1,
        made: new Date().toISOString(),
        inventory,
        playbook,
        ...(limit && { limit }),
        words,
        ...record,
      }
      writeFileSync(flags.out, `${JSON.stringify(file, undefined, 1)}\n`, { mode: 0o600 })
      process.stdout.write(`The plan is in ${flags.out}. Carry it out: provision apply ${flags.out}\n`)
    })
}

/** `provision apply FILE`: a run that begins only when every host is still as it was planned. */
export function applyCommand(own: Own): Command {
  return withRunOptions(new Command('apply'), 'plan')
    .description('carry out a plan, unless something has moved since it was made')
    .action(async (path: string, flags: RunFlags, command: Command) => {
      const { inventory, playbook, limit, words = [], hosts } = readPlan(path)
      const summary = await perform(
        playbook,
        { ...flags, inventory, check: false, ...(limit && { limit }) },
        own,
        { expect: { hosts }, accept: telling(words, command) },
      )
      process.exitCode = exitOf(summary)
    })
}

function readPlan(path: string): PlanFile {
  try {
    const file: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (isRecord(file) && file['provision'] === 1 && isRecord(file['hosts']))
      return file as unknown as PlanFile
  } catch (error) {
    throw new Problem(
      `The plan ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
  throw new Problem(`${path} is no plan`, { next: `Make one: provision plan --out ${path}` })
}
