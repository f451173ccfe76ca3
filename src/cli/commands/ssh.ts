import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { Command } from 'commander'
import type { Host } from '../../model/inventory/host.ts'
import { Problem } from '../../model/problem.ts'
import { didYouMean } from '../../shell/nearest.ts'
import { quote } from '../../shell/quote.ts'
import { interactiveArguments } from '../../transport/openssh/interactive.ts'
import { type Installation, loadInventory } from '../load/load.ts'
import { inventoryPath } from '../load/paths.ts'
import { type ReachFlags, withInventoryOption, withTypeCheckOption } from '../options.ts'
import { targetOf } from '../sessions.ts'

type SshFlags = Pick<ReachFlags, 'inventory' | 'typeCheck' | 'acceptNewHostKeys'>

/** `provision ssh HOST`: a person goes where runs go. */
export function sshCommand(own: Installation): Command {
  return withTypeCheckOption(withInventoryOption(new Command('ssh')))
    .argument('<host>')
    .argument('[command...]', 'what to run there instead of a shell, as with ssh')
    .description('log in to a host with your own ssh, by the way that the inventory says')
    .option(
      '--accept-new-host-keys',
      'write down the keys of hosts that are new; a changed key is refused all the same',
      false,
    )
    .addHelpText(
      'after',
      '\nExamples:\n  provision ssh web1\n  provision ssh web1 -- sudo journalctl -u nginx -n 20\n\nEnds with the status of what was run there, or 255 when ssh did not get there.',
    )
    .action(async (name: string, words: readonly string[], flags: SshFlags) => {
      const { inventory: path, typeCheck } = flags
      const { hosts } = await loadInventory({ inventory: inventoryPath(path), own, typeCheck })
      process.exitCode = await login(found(name, hosts), words, flags)
    })
}

function found(name: string, hosts: readonly Host[]): Host {
  const host = hosts.find((one) => one.name === name)
  if (host) return host
  const names = [...new Set(hosts.map((one) => one.name))]
  throw new Problem(`No host is called "${name}"`, {
    next: didYouMean(name, names) ?? `There are ${names.join(', ')}.`,
  })
}

async function login(host: Host, words: readonly string[], { acceptNewHostKeys }: SshFlags): Promise<number> {
  if (host.ssh?.transport === 'local') return run('/bin/sh', words.length > 0 ? ['-c', words.join(' ')] : [])
  return run('ssh', [...(await interactiveArguments(targetOf(host), { acceptNewHostKeys })), ...words])
}

/** With our own terminal. What a person types there, Ctrl-C too, is for the program. */
async function run(program: string, words: readonly string[]): Promise<number> {
  const ignore = () => {}
  process.on('SIGINT', ignore)
  try {
    return await new Promise<number>((resolve, reject) => {
      const child = spawn(program, words, { stdio: 'inherit' })
      child.once('error', (error: NodeJS.ErrnoException) => reject(isMissing(error, program)))
      child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)))
    })
  } finally {
    process.off('SIGINT', ignore)
  }
}

function isMissing(error: NodeJS.ErrnoException, program: string): Error {
  if (error.code !== 'ENOENT') return error
  return new Problem(`There is no ${quote(program)} on this machine`, { next: 'Install openssh-client.' })
}
