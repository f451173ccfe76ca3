import { setTimeout as sleep } from 'node:timers/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import { verify } from '../engine/verify.ts'
import type { Verified } from '../model/verification.ts'
import { paintFor } from '../report/problem.ts'
import { verifiedJson, verifiedTable } from '../report/verified.ts'
import { Secret } from '../shell/secret.ts'
import { type Duration, milliseconds } from '../text/duration.ts'
import { EXIT } from './exit.ts'
import { limited } from './limit.ts'
import { loadVerification, type Own } from './load.ts'
import { inventoryPath, playbookPath } from './paths.ts'
import { type ReachFlags, withReachOptions } from './run-flags.ts'
import { sessions } from './sessions.ts'
import { sshOptions } from './ssh-options.ts'
import { transports } from './transports.ts'

interface VerifyFlags extends ReachFlags {
  readonly output: 'plain' | 'json'
  /** Milliseconds. */
  readonly within: number
}

/** A pause between two tries, so that hosts that are just coming up have their processors for that. */
const PAUSE = 1_000

/** `provision verify`: whether the whole system works, seen from outside. Looks, and changes nothing. */
export function verifyCommand(own: Own): Command {
  return withReachOptions(
    new Command('verify').argument('[verification]', 'a file, or a name below playbooks/', 'verify'),
  )
    .description('find out whether all of it works, by checks from outside; changes nothing')
    .addOption(
      new Option('-o, --output <how>', 'how to show what was found')
        .choices(['plain', 'json'])
        .default('plain'),
    )
    .option('--within <time>', 'ask again until all holds, so long: 30s, 2m', duration, 0)
    .action(async (name: string, flags: VerifyFlags) => {
      const found = await verified(name, flags, own)
      const lines =
        flags.output === 'json' ? verifiedJson(found) : [verifiedTable(found, paintFor(process.stdout))]
      for (const line of lines) process.stdout.write(`${Secret.redact(line)}\n`)
      process.exitCode = exitOf(found)
    })
}

async function verified(name: string, flags: VerifyFlags, own: Own): Promise<Verified> {
  const { inventory, verification } = await loadVerification({
    inventory: inventoryPath(flags.inventory),
    verification: playbookPath(name),
    own,
    typeCheck: flags.typeCheck,
  })
  const limit = flags.limit === undefined ? undefined : limited(flags.limit, inventory.hosts)
  const { ssh, become } = await sshOptions(flags)
  const open = sessions(transports(ssh, flags.transport), become, ssh.warn)
  const once = () => verify({ inventory, verification, ...(limit && { limit }) }, open)
  const end = performance.now() + flags.within
  let found = await once()
  while (exitOf(found) !== EXIT.ok && performance.now() + PAUSE < end) {
    await sleep(PAUSE)
    found = await once()
  }
  return found
}

function exitOf({ findings, unreachable }: Verified): number {
  if (findings.some(({ outcome }) => outcome === 'failed')) return EXIT.failed
  return unreachable.size > 0 ? EXIT.unreachable : EXIT.ok
}

function duration(text: string): number {
  try {
    // What is none is refused.
    return milliseconds(text as Duration)
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error))
  }
}
