import { type Command, InvalidArgumentError, Option } from 'commander'
import { TRANSPORTS, type TransportName } from '../api/sessions.ts'
import type { SelectOptions } from '../engine/read/selection.ts'
import { type Duration, milliseconds } from '../shell/duration.ts'

export interface InventoryFlags {
  readonly inventory?: string
  readonly typeCheck: boolean
}

export interface HostFlags extends InventoryFlags {
  readonly limit?: string
}

export interface ConnectionFlags {
  readonly acceptNewHostKeys: boolean
  readonly askBecomePassword: boolean
  readonly transport?: TransportName
  readonly timeoutFactor?: number
  readonly forks?: number
}

/** The options of commands that connect to hosts. */
export interface ReachFlags extends HostFlags, ConnectionFlags {}

export interface SelectFlags {
  readonly tags?: readonly string[]
  readonly skipTags?: readonly string[]
  readonly startAt?: string
}

interface ShowFlags {
  readonly diff: boolean
  readonly output?: 'live' | 'lines' | 'plain' | 'json'
  readonly verbose: number
  readonly journal: boolean
}

export interface RunFlags extends ReachFlags, SelectFlags, ShowFlags {
  readonly check: boolean
  readonly step: boolean
  /** Milliseconds. */
  readonly wait?: number
}

/** The options of a command that prints a table. */
export interface OutputFlags {
  readonly output: 'plain' | 'json'
}

/** The playbook and its options: unknown options may belong to the playbook. */
export function withPlaybook(command: Command): Command {
  return command
    .argument('[playbook]', 'a name in playbooks/ or a file, followed by its own options', 'site')
    .allowUnknownOption()
    .allowExcessArguments()
}

export function withInventoryOption(command: Command): Command {
  return command.optionsGroup(HOSTS).option('-i, --inventory <file>', 'the inventory (default: $PROVISION_INVENTORY)')
}

export function withLimitOption(command: Command): Command {
  return command
    .optionsGroup(HOSTS)
    .option('-l, --limit <hosts>', 'comma-separated hosts or groups; * and ? match, ! excludes')
}

export function withTypeCheckOption(command: Command): Command {
  return command.optionsGroup(OTHER).option('--no-type-check', 'do not check the types of changed files')
}

export function withConnectionOptions(command: Command): Command {
  return withAcceptNewHostKeysOption(command)
    .option('-K, --ask-become-password', 'prompt for the sudo password', false)
    .addOption(new Option('--transport <name>', 'for hosts without ssh.transport in the inventory').choices(TRANSPORTS))
    .addOption(new Option('--timeout-factor <n>', 'multiply all time limits').argParser(positiveNumber))
    .addOption(new Option('--forks <n>', 'hosts in progress at once (default: 100)').argParser(count))
}

export function withAcceptNewHostKeysOption(command: Command): Command {
  return command
    .optionsGroup('Connection:')
    .option('--accept-new-host-keys', 'trust unknown host keys; changed keys are still rejected', false)
}

/** All options of {@link ReachFlags}. */
export function withReachOptions(command: Command): Command {
  return withTypeCheckOption(withConnectionOptions(withLimitOption(withInventoryOption(command))))
}

export function withSelectOptions(command: Command): Command {
  return command
    .optionsGroup('Steps:')
    .option('-t, --tags <tags>', 'run only steps with one of these tags', tags)
    .option('--skip-tags <tags>', 'skip steps with one of these tags', tags)
    .option('--start-at <step>', 'start at this step: "file /etc/motd", or its name alone')
}

export function withShowOptions(command: Command): Command {
  return command
    .optionsGroup('Output:')
    .option('-d, --diff', 'show the changed lines of files', false)
    .addOption(
      new Option('-o, --output <format>', 'default: live in a terminal, else lines').choices([
        'live',
        'lines',
        'plain',
        'json',
      ]),
    )
    .option('-v, --verbose', 'show more; -vvv adds stack traces', (_value, before: number) => before + 1, 0)
    .option('--no-journal', 'do not record the run in .provision/runs')
}

/** The option of a command that prints a table. */
export function withOutputOption(command: Command): Command {
  return command
    .optionsGroup('Output:')
    .addOption(new Option('-o, --output <format>', 'the output format').choices(['plain', 'json']).default('plain'))
}

export function withWaitOption(command: Command): Command {
  return command
    .optionsGroup(RUN)
    .addOption(
      new Option('--wait [time]', 'wait up to 10m, or this time, for locked hosts').preset('10m').argParser(duration),
    )
}

/** The options of commands that change hosts. */
export function withRunOptions(command: Command): Command {
  return withWaitOption(
    command
      .optionsGroup(RUN)
      .option('-c, --check', 'dry run: show what would change', false)
      .addOption(new Option('-C, --dry-run').implies({ check: true }).hideHelp())
      .option('--step', 'ask before each change', false),
  )
}

const HOSTS = 'Hosts:'
const RUN = 'Run:'
export const OTHER = 'Other:'

export function selectionOf({ tags: only, skipTags, startAt }: SelectFlags): SelectOptions {
  return { ...(only && { tags: only }), ...(skipTags && { skipTags }), ...(startAt !== undefined && { startAt }) }
}

/** Parses a duration: 500ms, 30s, 5m, 1h. @returns milliseconds */
export function duration(text: string): number {
  try {
    return milliseconds(text as Duration)
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error))
  }
}

/** Parses a whole number from 1. */
export function count(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('must be a whole number from 1')
}

/** Parses a number above 0, such as 0.5 or 10. */
function positiveNumber(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value
  throw new InvalidArgumentError('must be a number above 0')
}

/** Parses comma-separated tags and adds them to those of an earlier option. */
export function tags(text: string, before: readonly string[] = []): readonly string[] {
  const given = text
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '')
  if (given.length === 0) throw new InvalidArgumentError('must name a tag')
  return [...before, ...given]
}

/** Collects the values of an option that may be repeated. */
export function repeated(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}
