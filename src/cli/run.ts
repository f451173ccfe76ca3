import { existsSync, readdirSync } from 'node:fs'
import { Command, Option } from 'commander'
import { rehearse } from '../engine/rehearsal.ts'
import { type RunOptions, run } from '../engine/run.ts'
import type { Summary } from '../model/event.ts'
import { Problem } from '../model/problem.ts'
import { jsonReporter } from '../report/json.ts'
import { plainReporter } from '../report/plain.ts'
import { paintFor } from '../report/problem.ts'
import type { Reporter } from '../report/reporter.ts'
import { isAttentionWanted, refusalOfPerson } from '../secrets/attention.ts'
import { Secret } from '../shell/secret.ts'
import { EXIT } from './exit.ts'
import { flagsHelp, playbookWords, telling } from './flags.ts'
import { interruptible } from './interrupt.ts'
import { limited } from './limit.ts'
import { type LoadOptions, load, loadPlaybook, type Own } from './load.ts'
import { askingForSteps, type SelectFlags, selecting, withSelectOptions } from './select.ts'
import { sessions } from './sessions.ts'
import { sshOptions } from './ssh-options.ts'
import { TRANSPORTS, type TransportName, transports } from './transports.ts'

export interface RunFlags extends SelectFlags {
  readonly inventory?: string
  readonly check: boolean
  readonly diff: boolean
  readonly limit?: string
  readonly output?: 'live' | 'plain' | 'json'
  readonly verbose: number
  readonly typeCheck: boolean
  readonly acceptNewHostKeys: boolean
  readonly askBecomePassword: boolean
  readonly transport?: TransportName
  readonly help?: boolean
}

/** `provision [playbook] --inventory FILE`: the everyday command. */
export function runCommand(own: Own): Command {
  return (
    withSelectOptions(withRunOptions(new Command('run')))
      .description('run a playbook (the default command)')
      // What we do not know may be a flag of the playbook.
      .allowUnknownOption()
      .allowExcessArguments()
      .helpOption(false)
      .option('-h, --help', 'tell this, and what the playbook is for and takes')
      .option('--step', 'ask before each step that would change something', false)
      .option('-c, --check', 'only say what would change; touches nothing', false)
      .action(async (_playbook: string, flags: RunFlags, command: Command) => {
        const { name, rest } = playbookWords(command.args)
        if (flags.help) return help(command, name, own)
        const summary = await perform(name ?? 'site', flags, own, { accept: telling(rest, command) })
        process.exitCode = exitOf(summary)
        return undefined
      })
  )
}

async function help(command: Command, name: string | undefined, own: Own): Promise<void> {
  const about = name === undefined ? '' : flagsHelp(await loadPlaybook(playbookPath(name), own), name)
  process.stdout.write(`${about === '' ? '' : `${about}\n\n`}${command.helpInformation()}`)
}

/** What all commands that reach for hosts are told. @param subject what their argument is */
export function withRunOptions(command: Command, subject: 'playbook' | 'plan' = 'playbook'): Command {
  const told =
    subject === 'plan'
      ? command.argument('<plan>', 'the file that `provision plan` has written')
      : command.argument(
          '[playbook]',
          'a file, or a name below playbooks/; its own flags go after it',
          'site',
        )
  return told
    .option('-i, --inventory <file>', 'the inventory, a TypeScript file; $PROVISION_INVENTORY otherwise')
    .option('-d, --diff', 'show the texts that change', false)
    .option('-l, --limit <hosts>', 'hosts and groups, * and ?, apart by commas; ! takes out')
    .addOption(new Option('-o, --output <how>', 'how to show the run').choices(['live', 'plain', 'json']))
    .option('-v, --verbose', 'tell more; -vvv with stack traces', (_value, before: number) => before + 1, 0)
    .option('--no-type-check', 'do not ask the TypeScript compiler about changed files')
    .option(
      '--accept-new-host-keys',
      'write down the keys of hosts that are new; a changed key is refused all the same',
      false,
    )
    .option('-K, --ask-become-password', 'ask for the password of sudo', false)
    .addOption(
      new Option(
        '--transport <name>',
        'how to reach hosts of which the inventory says nothing; ssh2 otherwise',
      ).choices(TRANSPORTS),
    )
}

type PerformOptions = Pick<RunOptions, 'surveyed' | 'expect'> & Pick<LoadOptions, 'accept'>

export async function perform(
  name: string,
  flags: RunFlags,
  own: Own,
  { accept, ...plan }: PerformOptions = {},
): Promise<Summary> {
  const wanted = {
    inventory: inventoryPath(flags.inventory),
    playbook: playbookPath(name),
    own,
    typeCheck: flags.typeCheck,
    ...(accept && { accept }),
  }
  const { inventory, playbook } = await load(wanted)
  const limit = flags.limit === undefined ? undefined : limited(flags.limit, inventory.hosts)
  if (isAttentionWanted()) {
    rehearse(inventory, playbook, limit)
    const refusal = refusalOfPerson()
    if (refusal) throw refusal
  }
  const confirm = flags.step ? askingForSteps() : undefined
  const options = await sshOptions(flags)
  const reporter = await reporterFor(flags)
  const { signal, done } = interruptible()
  try {
    return await run(
      {
        inventory,
        playbook,
        mode: flags.check ? 'check' : 'apply',
        diff: flags.diff,
        stop: signal,
        select: selecting(flags),
        ...(confirm && { confirm }),
        ...plan,
        ...(limit && { limit }),
      },
      {
        open: sessions(transports(options.ssh, flags.transport), options.become, options.ssh.warn),
        emit: reporter.emit,
      },
    )
  } finally {
    done()
    await reporter.done()
  }
}

async function reporterFor({ output, verbose, step }: RunFlags): Promise<Reporter> {
  // The last door: whatever a reporter has overlooked is masked here.
  const write = (line: string) => process.stdout.write(`${Secret.redact(line)}\n`)
  const paint = paintFor(process.stdout)
  const how = output ?? (process.stdout.isTTY && verbose === 0 && !step ? 'live' : 'plain')
  if (how === 'json') return jsonReporter(write)
  if (how === 'plain') return plainReporter({ write, paint, verbose: verbose > 0 })
  const { liveReporter } = await import('../report/listr.ts')
  return liveReporter({ write, paint })
}

export function exitOf({ hosts, mode, interrupted }: Summary): number {
  if (interrupted) return EXIT.interrupted
  if (hosts.some(({ failed }) => failed > 0)) return EXIT.failed
  if (hosts.some(({ unreachable }) => unreachable)) return EXIT.unreachable
  return mode === 'check' && hosts.some(({ changed }) => changed > 0) ? EXIT.drift : EXIT.ok
}

export function inventoryPath(given: string | undefined): string {
  const path = given ?? process.env['PROVISION_INVENTORY']
  if (path) return path
  const there = existsSync('inventory') ? readdirSync('inventory').filter((name) => name.endsWith('.ts')) : []
  throw new Problem('Which inventory?', {
    next:
      there.length > 0
        ? `Say --inventory inventory/${there[0]}${there.length > 1 ? `; there are ${there.join(', ')}` : ''}.`
        : 'Say --inventory FILE.',
  })
}

/** A name without a slash or an ending means a file below playbooks/. */
export function playbookPath(name: string): string {
  return /[/.]/.test(name) ? name : `playbooks/${name}.ts`
}
