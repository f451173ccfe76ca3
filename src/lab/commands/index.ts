import { Command } from 'commander'
import { DEFAULT_NAME } from '../network/addresses.ts'
import { faultCommands, hostCommands } from './hosts.ts'
import { powerCommands } from './lab.ts'
import { snapshotCommands } from './snapshots.ts'

/** `provision lab`: real hosts on this machine. The lab itself is loaded when a command runs. */
export function labCommand(): Command {
  const lab = new Command('lab')
    .description('manage real Debian hosts on this machine, without a hypervisor (needs root)')
    .enablePositionalOptions()
    .addHelpText('after', EXAMPLES)
  for (const command of [...powerCommands(), ...snapshotCommands(), ...hostCommands(), ...faultCommands()])
    lab.addCommand(command.addHelpText('after', () => `\nExamples:\n${examplesOf(command.name())}`))
  for (const command of ownProcesses()) lab.addCommand(command, { hidden: true })
  return lab
}

/** The examples of one command. */
function examplesOf(name: string): string {
  const lines = `${EXAMPLES}\n${MORE}`.split('\n')
  return lines.filter((line) => `${line} `.startsWith(`  provision lab ${name} `)).join('\n')
}

/** The background processes of a lab. */
function ownProcesses(): readonly Command[] {
  return [
    new Command('supervise').argument('[name]').action(async (name: string = DEFAULT_NAME) => {
      const { supervise } = await import('../supervisor/supervisor.ts')
      await supervise(name)
    }),
    new Command('outside').action(async () => {
      const { serveOutside } = await import('../network/gateway.ts')
      serveOutside()
    }),
  ]
}

const EXAMPLES = `
Examples:
  provision lab up                          nine hosts: lb1 lb2 web1 web2 app1 app2 db1 db2 witness1
  provision lab up --name small --hosts web1,db1 --debian 12
  provision lab ssh web1
  provision lab ssh web1 sudo systemctl status nginx
  provision lab kill lb1                    cut the power of a balancer
  provision lab split db1 db2               block traffic between the database hosts
  provision lab up                          remove all faults
  provision lab down`

const MORE = `
  provision lab down --name small
  provision lab snapshot provisioned        copy all its hosts
  provision lab snapshots
  provision lab up --name second --from provisioned
  provision lab delete-snapshot provisioned
  provision lab status
  provision lab log web1                    show its console output
  provision lab poweroff web1
  provision lab start web1
  provision lab reset web1
  provision lab cut web1                    disconnect its network
  provision lab uncut web1
  provision lab heal db1 db2
  provision lab freeze app1                 accepts connections, answers none
  provision lab thaw app1
  provision lab slow app1 5                 5 % of a core, as on a busy machine
  provision lab fast app1
  provision lab fill-disk db1
  provision lab free-disk db1
  provision lab delay web1 80               an 80 ms round trip
  provision lab delay web1 0`
