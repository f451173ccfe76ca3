import { Command } from 'commander'
import { doctor } from '../engine/doctor.ts'
import type { Verified } from '../model/verification.ts'
import { controllerClock, controllerFindings } from './controller.ts'
import { limited } from './limit.ts'
import { loadInventory, type Own } from './load.ts'
import { inventoryPath } from './paths.ts'
import { type ReachFlags, withReachOptions } from './run-flags.ts'
import { sessions } from './sessions.ts'
import { sshOptions } from './ssh-options.ts'
import { transports } from './transports.ts'
import { type FindingsFlags, told, withFindingsOption } from './verify.ts'

type DoctorFlags = ReachFlags & FindingsFlags

/** `provision doctor`: whether this machine and the hosts are fit for a run, and how to mend what is not. */
export function doctorCommand(own: Own): Command {
  return withFindingsOption(withReachOptions(new Command('doctor')))
    .description('find what is wrong with this machine and the hosts, and how to mend it; changes nothing')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: DoctorFlags) => {
      process.exitCode = told(await found(flags, own), flags)
    })
}

async function found(flags: DoctorFlags, own: Own): Promise<Verified> {
  const path = inventoryPath(flags.inventory)
  const inventory = await loadInventory({ inventory: path, own, typeCheck: flags.typeCheck })
  const limit = flags.limit === undefined ? undefined : limited(flags.limit, inventory.hosts)
  const { ssh, become, settings } = await sshOptions(flags)
  const open = sessions(transports(ssh, flags.transport), become, settings)
  const [here, hosts] = await Promise.all([
    controllerFindings({ inventory: path, own }),
    doctor({ inventory, ...(limit && { limit }) }, open),
  ])
  return { ...hosts, findings: [...here, ...controllerClock(hosts.findings), ...hosts.findings] }
}

const EXAMPLES = `
Examples:
  provision doctor --inventory inventory/prod.ts
  provision doctor --inventory inventory/prod.ts --limit web --output json`
