import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { limitOf } from '../../api/limit.ts'
import { verify } from '../../engine/verify.ts'
import type { Verified } from '../../model/check/verification.ts'
import { paintFor } from '../../report/problem.ts'
import { verifyJson, verifyTable } from '../../report/tables/verify.ts'
import { EXIT, exitCodeOfVerification } from '../exit.ts'
import { load } from '../load/load.ts'
import { type Installation, inventoryPath, playbookPath } from '../load/paths.ts'
import { duration, type OutputFlags, type ReachFlags, withOutputOption, withReachOptions } from '../options.ts'
import { printLines } from '../print.ts'
import { openSessions } from '../target.ts'

interface VerifyFlags extends ReachFlags, OutputFlags {
  /** Milliseconds. */
  readonly within: number
}

/** The pause between two rounds, ms. Hosts that are starting need their processors. */
const PAUSE = 1_000

/** `provision verify`: runs the checks of a verification once. */
export function verifyCommand(installation: Installation): Command {
  return withOutputOption(withReachOptions(withVerification(new Command('verify'))))
    .description('run checks from outside: does the whole system work?')
    .addHelpText(
      'after',
      '\nExamples:\n  provision verify --inventory inventory/prod.ts\n  provision verify --within 2m --output json',
    )
    .optionsGroup('Run:')
    .option('--within <time>', 'repeat until all checks pass, for at most this time: 30s, 2m', duration, 0)
    .action(async (name: string, flags: VerifyFlags) => {
      const checks = await loadChecks(name, flags, installation)
      const open = await openSessions(flags)
      const end = performance.now() + flags.within
      let result = await verify(checks, open)
      while (exitCodeOfVerification(result) !== EXIT.ok && performance.now() + PAUSE < end) {
        await sleep(PAUSE)
        result = await verify(checks, open)
      }
      process.exitCode = printFindings(result, flags)
    })
}

export function withVerification(command: Command): Command {
  return command.argument('[verification]', 'a name in playbooks/ or a file', 'verify')
}

/** Loads a verification, with the inventory and the hosts of `--limit`. */
export async function loadChecks(
  name: string,
  { inventory: path, typeCheck, limit, forks }: ReachFlags,
  installation: Installation,
) {
  const paths = { inventory: inventoryPath(path), verification: playbookPath(name) }
  const { inventory, verification } = await load(paths, { installation, typeCheck })
  return { inventory, verification, forks, ...limitOf(limit, inventory) }
}

/** Prints the results of checks. @returns the exit status */
export function printFindings(verified: Verified, { output }: OutputFlags): number {
  printLines(output === 'json' ? verifyJson(verified) : [verifyTable(verified, paintFor(process.stdout))])
  return exitCodeOfVerification(verified)
}
