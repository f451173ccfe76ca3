import { Command } from 'commander'
import { faultCommands } from './lab-faults.ts'
import { hostCommands } from './lab-hosts.ts'
import { powerCommands } from './lab-power.ts'
import { USUAL } from './lab-shared.ts'

/** `provision lab`: real hosts on this machine. What it needs is loaded when it is called: other commands start without it. */
export function labCommand(): Command {
  const lab = new Command('lab')
    .description(
      'Real Debian hosts on this machine, without a hypervisor: systemd, sshd and apt (needs root).',
    )
    .enablePositionalOptions()
    .addHelpText('after', EXAMPLES)
  for (const command of [...powerCommands(), ...hostCommands(), ...faultCommands()]) lab.addCommand(command)
  for (const command of ownProcesses()) lab.addCommand(command, { hidden: true })
  return lab
}

/** What the lab itself starts in the background. */
function ownProcesses(): readonly Command[] {
  return [
    new Command('supervise').argument('[name]').action(async (name: string = USUAL) => {
      const { supervise } = await import('../lab/supervisor.ts')
      await supervise(name)
    }),
    new Command('outside').action(async () => {
      const { serveOutside } = await import('../lab/outside.ts')
      serveOutside()
    }),
  ]
}

const EXAMPLES = `
Examples:
  provision lab up                          eight hosts: lb1 lb2 web1 web2 app1 app2 db1 db2
  provision lab up --name small --hosts web1,db1 --debian 13
  provision lab ssh web1
  provision lab ssh web1 sudo systemctl status nginx
  provision lab kill lb1                    what happens then to the site?
  provision lab split db1 db2               and now?
  provision lab up                          all is well again
  provision lab down`
