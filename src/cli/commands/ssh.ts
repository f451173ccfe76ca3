import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { Command } from 'commander'
import { targetOf } from '../../api/sessions.ts'
import type { Host } from '../../model/inventory/host.ts'
import { Problem } from '../../model/problem.ts'
import { didYouMean } from '../../shell/nearest.ts'
import { quote } from '../../shell/sh.ts'
import { interactiveArguments } from '../../transport/openssh/interactive.ts'
import { load } from '../load/load.ts'
import { type Installation, inventoryPath } from '../load/paths.ts'
import {
  type ConnectionFlags,
  type InventoryFlags,
  withAcceptNewHostKeysOption,
  withInventoryOption,
  withTypeCheckOption,
} from '../options.ts'

type SshFlags = InventoryFlags & Pick<ConnectionFlags, 'acceptNewHostKeys'>

/** `provision ssh HOST`: runs ssh with the settings of the inventory. */
export function sshCommand(installation: Installation): Command {
  const command = withInventoryOption(new Command('ssh'))
    .argument('<host>')
    .argument('[command...]', 'a command to run instead of a shell')
  return withTypeCheckOption(withAcceptNewHostKeysOption(command))
    .description('log in to a host with the settings of the inventory')
    .addHelpText(
      'after',
      '\nExamples:\n  provision ssh web1\n  provision ssh web1 -- sudo journalctl -u nginx -n 20\n\nThe exit status is that of the command, or 255 if ssh failed.',
    )
    .action(async (name: string, args: readonly string[], flags: SshFlags) => {
      const { inventory, typeCheck, acceptNewHostKeys } = flags
      const paths = { inventory: inventoryPath(inventory) }
      const host = hostNamed(name, (await load(paths, { installation, typeCheck })).inventory.hosts)
      process.exitCode =
        host.ssh?.transport === 'local'
          ? await run('/bin/sh', args.length > 0 ? ['-c', args.join(' ')] : [])
          : await run('ssh', [...(await interactiveArguments(targetOf(host), { acceptNewHostKeys })), ...args])
    })
}

function hostNamed(name: string, hosts: readonly Host[]): Host {
  const host = hosts.find((one) => one.name === name)
  if (host) return host
  const names = [...new Set(hosts.map((one) => one.name))]
  throw new Problem(`Unknown host "${name}"`, { next: didYouMean(name, names) ?? `The hosts are ${names.join(', ')}.` })
}

/** Runs a program in our terminal. Ctrl-C goes to the program. */
async function run(program: string, args: readonly string[]): Promise<number> {
  const ignore = () => {}
  process.on('SIGINT', ignore)
  try {
    return await new Promise<number>((resolve, reject) => {
      const child = spawn(program, args, { stdio: 'inherit' })
      child.once('error', (error: NodeJS.ErrnoException) => reject(notInstalled(error, program)))
      child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)))
    })
  } finally {
    process.off('SIGINT', ignore)
  }
}

function notInstalled(error: NodeJS.ErrnoException, program: string): Error {
  if (error.code !== 'ENOENT') return error
  return new Problem(`${quote(program)} is not installed on this machine`, { next: 'Install openssh-client.' })
}
