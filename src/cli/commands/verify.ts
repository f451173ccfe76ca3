import { setTimeout as sleep } from 'node:timers/promises'
import { Command, Option } from 'commander'
import { verify } from '../../engine/verify.ts'
import type { Verified } from '../../model/check/verification.ts'
import { paintFor } from '../../report/problem.ts'
import { verifyJson, verifyTable } from '../../report/tables/verify.ts'
import { Secret } from '../../shell/secret.ts'
import { duration } from '../duration.ts'
import { EXIT } from '../exit.ts'
import { matchHosts } from '../limit.ts'
import { type Installation, loadVerification } from '../load/load.ts'
import { inventoryPath, playbookPath } from '../load/paths.ts'
import { type ReachFlags, withReachOptions } from '../options.ts'
import { sessions } from '../sessions.ts'
import { sshOptions } from '../ssh-options.ts'
import { transports } from '../transports.ts'

interface VerifyFlags extends ReachFlags, FindingsFlags {
  /** Milliseconds. */
  readonly within: number
}

/** A pause between two tries, so that hosts that are just coming up have their processors for that. */
const PAUSE = 1_000

/** `provision verify`: whether the whole system works, seen from outside. Looks, and changes nothing. */
export function verifyCommand(own: Installation): Command {
  return withFindingsOption(
    withReachOptions(
      new Command('verify').argument('[verification]', 'a file, or a name below playbooks/', 'verify'),
    ),
  )
    .description('find out whether all of it works, by checks from outside; changes nothing')
    .addHelpText(
      'after',
      '\nExit status: 0 all checks hold, 1 a check failed, 3 a host could not be reached, 4 a result is unknown.\n\nExamples:\n  provision verify --inventory inventory/prod.ts\n  provision verify --within 2m --output json',
    )
    .option('--within <time>', 'ask again until all holds, so long: 30s, 2m', duration, 0)
    .action(async (name: string, flags: VerifyFlags) => {
      process.exitCode = printFindings(await verified(name, flags, own), flags)
    })
}

/** Of {@link withFindingsOption}. */
export interface FindingsFlags {
  readonly output: 'plain' | 'json'
}

/** How findings are shown. */
export function withFindingsOption(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <how>', 'how to show what was found')
      .choices(['plain', 'json'])
      .default('plain'),
  )
}

/** Shows what was found. @returns the exit status that says it, too */
export function printFindings(found: Verified, { output }: FindingsFlags): number {
  const lines = output === 'json' ? verifyJson(found) : [verifyTable(found, paintFor(process.stdout))]
  for (const line of lines) process.stdout.write(`${Secret.redact(line)}\n`)
  return exitCodeOfVerification(found)
}

/** What is to be verified: a verification of the inventory, and on which hosts. */
export async function loadTarget(
  name: string,
  flags: Pick<ReachFlags, 'inventory' | 'limit' | 'typeCheck'>,
  own: Installation,
) {
  const { inventory, verification } = await loadVerification({
    inventory: inventoryPath(flags.inventory),
    verification: playbookPath(name),
    own,
    typeCheck: flags.typeCheck,
  })
  const limit = flags.limit === undefined ? undefined : matchHosts(flags.limit, inventory.hosts)
  return { inventory, verification, ...(limit && { limit }) }
}

async function verified(name: string, flags: VerifyFlags, own: Installation): Promise<Verified> {
  const asked = await loadTarget(name, flags, own)
  const { ssh, become, settings } = await sshOptions(flags)
  const open = sessions(transports(ssh, flags.transport), become, settings)
  const once = () => verify(asked, open)
  const end = performance.now() + flags.within
  let found = await once()
  while (exitCodeOfVerification(found) !== EXIT.ok && performance.now() + PAUSE < end) {
    await sleep(PAUSE)
    found = await once()
  }
  return found
}

/** The exit status. A failure goes before a host that could not be reached, and that before an unknown result. */
export function exitCodeOfVerification({ findings, unreachable }: Verified): number {
  if (findings.some(({ outcome }) => outcome === 'failed')) return EXIT.failed
  if (unreachable.size > 0) return EXIT.unreachable
  return findings.some(({ outcome }) => outcome === 'unknown') ? EXIT.unknown : EXIT.ok
}
