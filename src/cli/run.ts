import { existsSync, readdirSync } from 'node:fs'
import { Command, Option } from 'commander'
import { run } from '../engine/run.ts'
import type { Summary } from '../model/event.ts'
import { Problem } from '../model/problem.ts'
import { jsonReporter } from '../report/json.ts'
import { plainReporter } from '../report/plain.ts'
import { paintFor } from '../report/problem.ts'
import type { Reporter } from '../report/reporter.ts'
import { EXIT } from './exit.ts'
import { limited } from './limit.ts'
import { load, type Own } from './load.ts'
import { sessions } from './sessions.ts'
import { sshOptions } from './ssh-options.ts'

interface RunFlags {
  readonly inventory?: string
  readonly check: boolean
  readonly diff: boolean
  readonly limit?: string
  readonly output?: 'live' | 'plain' | 'json'
  readonly verbose: number
  readonly typeCheck: boolean
  readonly acceptNewHostKeys: boolean
  readonly askBecomePassword: boolean
}

/** `provision [playbook] --inventory FILE`: the everyday command. */
export function runCommand(own: Own): Command {
  return new Command('run')
    .description('run a playbook (the default command)')
    .argument('[playbook]', 'a file, or a name below playbooks/', 'site')
    .option('-i, --inventory <file>', 'the inventory, a TypeScript file; $PROVISION_INVENTORY otherwise')
    .option('-c, --check', 'only say what would change; touches nothing', false)
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
    .action(async (playbook: string, flags: RunFlags) => {
      const summary = await perform(playbook, flags, own)
      process.exitCode = exitOf(summary)
    })
}

async function perform(name: string, flags: RunFlags, own: Own): Promise<Summary> {
  const wanted = {
    inventory: inventoryPath(flags.inventory),
    playbook: playbookPath(name),
    own,
    typeCheck: flags.typeCheck,
  }
  // The transport takes as long to load as the user's files do.
  const [{ inventory, playbook }, { sshTransport }] = await Promise.all([
    load(wanted),
    import('../transport/ssh.ts'),
  ])
  const options = await sshOptions(flags)
  const reporter = await reporterFor(flags)
  const stop = new AbortController()
  const interrupt = () => stop.abort()
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  try {
    return await run(
      {
        inventory,
        playbook,
        mode: flags.check ? 'check' : 'apply',
        diff: flags.diff,
        stop: stop.signal,
        ...(flags.limit !== undefined && { limit: limited(flags.limit, inventory.hosts) }),
      },
      { open: sessions(sshTransport(options.ssh), options.become), emit: reporter.emit },
    )
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
    await reporter.done()
  }
}

async function reporterFor({ output, verbose }: RunFlags): Promise<Reporter> {
  const write = (line: string) => process.stdout.write(`${line}\n`)
  const paint = paintFor(process.stdout)
  const how = output ?? (process.stdout.isTTY && verbose === 0 ? 'live' : 'plain')
  if (how === 'json') return jsonReporter(write)
  if (how === 'plain') return plainReporter({ write, paint, verbose: verbose > 0 })
  const { liveReporter } = await import('../report/listr.ts')
  return liveReporter({ write, paint })
}

function exitOf({ hosts, mode, interrupted }: Summary): number {
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
function playbookPath(name: string): string {
  return /[/.]/.test(name) ? name : `playbooks/${name}.ts`
}
