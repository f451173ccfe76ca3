import { resolve } from 'node:path'
import { Command } from 'commander'
import { limitOf } from '../../api/limit.ts'
import { controllerClock, controllerFindings } from '../../doctor/controller.ts'
import { doctor } from '../../doctor/doctor.ts'
import { findCompiler } from '../load/compiler.ts'
import { load } from '../load/load.ts'
import { type Installation, inventoryPath } from '../load/paths.ts'
import { type OutputFlags, type ReachFlags, withOutputOption, withReachOptions } from '../options.ts'
import { openSessions } from '../target.ts'
import { printFindings } from './verify.ts'

/** `provision doctor`: checks this machine and the hosts for causes of failures. */
export function doctorCommand(installation: Installation): Command {
  return withOutputOption(withReachOptions(new Command('doctor')))
    .description('find problems of this machine and the hosts')
    .addHelpText(
      'after',
      '\nExamples:\n  provision doctor --inventory inventory/prod.ts\n  provision doctor --inventory inventory/prod.ts --limit web --output json',
    )
    .action(async (flags: ReachFlags & OutputFlags) => {
      const path = inventoryPath(flags.inventory)
      const { inventory } = await load({ inventory: path }, { installation, typeCheck: flags.typeCheck })
      const limit = limitOf(flags.limit, inventory)
      const open = await openSessions(flags)
      const [controller, hosts] = await Promise.all([
        controllerFindings(findCompiler(resolve(path), installation)),
        doctor({ inventory, forks: flags.forks, ...limit }, open),
      ])
      const findings = [...controller, ...controllerClock(hosts.findings), ...hosts.findings]
      process.exitCode = printFindings({ ...hosts, findings }, flags)
    })
}
