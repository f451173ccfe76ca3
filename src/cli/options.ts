import { type Command, Option } from 'commander'
import { duration } from './duration.ts'
import { positive } from './positive.ts'
import type { SelectFlags } from './select.ts'
import { TRANSPORTS, type TransportName } from './transports.ts'

/** Of {@link withLoginOptions}. */
export interface LoginFlags {
  readonly typeCheck: boolean
  readonly acceptNewHostKeys: boolean
  readonly askBecomePassword: boolean
  readonly transport?: TransportName
  readonly timeoutFactor?: number
}

/** Of {@link withReachOptions}. */
export interface ReachFlags extends LoginFlags {
  readonly inventory?: string
  readonly limit?: string
}

/** Of {@link withShowOptions}. */
export interface ShowFlags {
  readonly diff: boolean
  readonly output?: 'live' | 'lines' | 'plain' | 'json'
  readonly verbose: number
  /** Whether the run is written down for `provision report`. */
  readonly journal: boolean
}

export interface RunFlags extends ReachFlags, SelectFlags, ShowFlags {
  readonly check: boolean
  readonly step: boolean
  /** Milliseconds. */
  readonly wait?: number
}

/** Which hosts, and how they are reached. */
export function withReachOptions(command: Command): Command {
  return withLoginOptions(withLimitOption(withInventoryOption(command)))
}

export function withInventoryOption(command: Command): Command {
  return command.option(
    '-i, --inventory <file>',
    'the inventory, a TypeScript file; $PROVISION_INVENTORY otherwise',
  )
}

export function withLimitOption(command: Command): Command {
  return command.option('-l, --limit <hosts>', 'hosts and groups, * and ?, apart by commas; ! takes out')
}

/** How files are taken. */
export function withTypeCheckOption(command: Command): Command {
  return command.option('--no-type-check', 'do not ask the TypeScript compiler about changed files')
}

/** How files are taken, and hosts reached. */
export function withLoginOptions(command: Command): Command {
  return withTypeCheckOption(command)
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
    .addOption(
      new Option(
        '--timeout-factor <n>',
        'multiply every limit, for slow hosts; replaces timeouts.factor of the inventory',
      ).argParser(positive),
    )
}

/** How a run is shown. */
export function withShowOptions(command: Command): Command {
  return command
    .option('-d, --diff', 'show the texts that change', false)
    .addOption(
      new Option(
        '-o, --output <how>',
        'live in a terminal and lines elsewhere, unless told otherwise; plain has words for signs and no colours, for screen readers',
      ).choices(['live', 'lines', 'plain', 'json']),
    )
    .option('-v, --verbose', 'tell more; -vvv with stack traces', (_value, before: number) => before + 1, 0)
    .option('--no-journal', 'do not write the run down in .provision/runs, for provision report')
}

/** What a run does about hosts that another run holds. */
export function withWaitOption(command: Command): Command {
  return command.addOption(
    new Option(
      '--wait [time]',
      'wait for hosts that another run holds: 10m unless a time is given, as in --wait=30m',
    )
      .preset('10m')
      .argParser(duration),
  )
}

/** How a run acts. */
export function withActOptions(command: Command): Command {
  return withWaitOption(command)
    .option('--step', 'ask before each step that would change something', false)
    .option('-c, --check', 'only say what would change; touches nothing', false)
}

/** The playbook, and what is said to it: a word that we do not know may be a flag of its own. */
export function withPlaybook(command: Command): Command {
  return command
    .argument('[playbook]', 'a file, or a name below playbooks/; its own flags go after it', 'site')
    .allowUnknownOption()
    .allowExcessArguments()
}
