import { resolve } from 'node:path'
import { Command } from 'commander'
import { controllerClock, controllerFindings } from '../../doctor/controller.ts'
import { doctor } from '../../doctor/doctor.ts'
import type { Verified } from '../../model/check/verification.ts'
import { matchHosts } from '../limit.ts'
import { findCompiler } from '../load/compiler.ts'
import { type Installation, loadInventory } from '../load/load.ts'
import { inventoryPath } from '../load/paths.ts'
import { type ReachFlags, withReachOptions } from '../options.ts'
import { sessions } from '../sessions.ts'
import { sshOptions } from '../ssh-options.ts'
import { transports } from '../transports.ts'
import { type FindingsFlags, printFindings, withFindingsOption } from './verify.ts'

type DoctorFlags = ReachFlags & FindingsFlags

/** `provision doctor`: whether this machine and the hosts are fit for a run, and how to mend what is not. */
export function doctorCommand(own: Installation): Command {
  return withFindingsOption(withReachOptions(new Command('doctor')))
    .description('find what is wrong with this machine and the hosts, and how to mend it; changes nothing')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: DoctorFlags) => {
      process.exitCode = printFindings(await found(flags, own), flags)
    })
}

async function found(flags: DoctorFlags, own: Installation): Promise<Verified> {
  const path = inventoryPath(flags.inventory)
  const inventory = await loadInventory({ inventory: path, own, typeCheck: flags.typeCheck })
  const limit = flags.limit === undefined ? undefined : matchHosts(flags.limit, inventory.hosts)
  const { ssh, become, settings } = await sshOptions(flags)
  const open = sessions(transports(ssh, flags.transport), become, settings)
  const [here, hosts] = await Promise.all([
    controllerFindings(findCompiler(resolve(path), own)),
    doctor({ inventory, ...(limit && { limit }) }, open),
  ])
  return { ...hosts, findings: [...here, ...controllerClock(hosts.findings), ...hosts.findings] }
}

const EXAMPLES = `
Examples:
  provision doctor --inventory inventory/prod.ts
  provision doctor --inventory inventory/prod.ts --limit web --output json`
