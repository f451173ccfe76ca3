import type { OpenSession } from '../engine/hosts/scripts.ts'
import type { Become, Host } from '../model/inventory/host.ts'
import type { Inventory } from '../model/inventory/inventory.ts'
import { Problem } from '../model/problem.ts'
import { didYouMean } from '../shell/nearest.ts'
import { Secret } from '../shell/secret.ts'
import { Clock, sessionTimeouts } from '../transport/clock.ts'
import { type ForegroundCommand, type ForegroundResult, runInForeground } from '../transport/session/foreground.ts'
import { load } from './load/load.ts'
import { type Installation, inventoryPath } from './load/paths.ts'
import type { ConnectionFlags, HostFlags } from './options.ts'
import { askHidden, askYes } from './prompt.ts'
import {
  becomeOf,
  type SessionSettings,
  sessions,
  type TransportOf,
  targetOf,
  timeoutsFor,
  transports,
} from './sessions.ts'

/**
 * Returns a predicate for the hosts that `--limit` selects: comma-separated names of hosts and groups, with `*` and `?`; `!` excludes.
 *
 * @example matchHosts('web,!web2', hosts)
 * @throws Problem for a name that matches no host, and if no host is left
 */
export function matchHosts(limit: string, hosts: readonly Host[]): (host: Host) => boolean {
  const patterns = limit
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .map((name) => patternOf(name, hosts))
  const included = patterns.filter(({ excludes }) => !excludes)
  const isSelected = (host: Host) =>
    (included.length === 0 || included.some(({ matches }) => matches(host))) &&
    !patterns.some(({ excludes, matches }) => excludes && matches(host))
  // An empty variable of a script must not select all hosts.
  if (patterns.length === 0 || !hosts.some(isSelected))
    throw new Problem(`--limit: "${limit}" selects no host`, { next: 'For all hosts, omit --limit.' })
  return isSelected
}

function patternOf(text: string, hosts: readonly Host[]) {
  const excludes = text.startsWith('!')
  const name = excludes ? text.slice(1) : text
  const parts = name
    .split(/([*?])/)
    .map((part) => (part === '*' ? '.*' : part === '?' ? '.' : part.replace(/[.+^${}()|[\]\\]/g, '\\$&')))
  const pattern = new RegExp(`^(?:${parts.join('')})$`)
  const matches = (host: Host) => name === 'all' || pattern.test(host.name) || pattern.test(host.group)
  if (!hosts.some(matches)) {
    const known = [...new Set(hosts.flatMap((host) => [host.name, host.group]))]
    throw new Problem(`--limit: no host or group matches "${name}"`, {
      next: didYouMean(name, known) ?? `The hosts and groups are ${known.join(', ')}.`,
    })
  }
  return { excludes, matches }
}

/** The predicate of `--limit` as an option of the engine; nothing without `--limit`. */
export function limitOf(limit: string | undefined, { hosts }: Pick<Inventory, 'hosts'>) {
  return limit === undefined ? {} : { limit: matchHosts(limit, hosts) }
}

interface SelectedHosts {
  readonly inventory: Inventory
  /** Each host once, also if it is in several groups. */
  readonly hosts: readonly Host[]
}

/** Loads the inventory and selects the hosts of `--limit` and of an argument with the same syntax. */
export async function selectHosts(
  { inventory: path, limit, typeCheck }: HostFlags,
  installation: Installation,
  argument?: string,
): Promise<SelectedHosts> {
  const { inventory } = await load({ inventory: inventoryPath(path) }, { installation, typeCheck })
  const filters = [limit, argument].flatMap((text) => (text === undefined ? [] : [matchHosts(text, inventory.hosts)]))
  const hosts = inventory.hosts.filter((host) => filters.every((isSelected) => isSelected(host)))
  return { inventory, hosts: [...new Map(hosts.map((host) => [host.name, host])).values()] }
}

/** The options for connections to hosts. */
export interface ConnectOptions {
  readonly transportOf: TransportOf
  readonly become: Become
  readonly settings: SessionSettings
}

/** The connection options of the command line. With a terminal, unknown host keys and passphrases are prompted for. */
export async function connectOptions({
  acceptNewHostKeys,
  askBecomePassword,
  timeoutFactor,
  transport,
}: ConnectionFlags): Promise<ConnectOptions> {
  const interactive = process.stdin.isTTY && process.stderr.isTTY
  const become: Become = askBecomePassword ? { password: await askHidden('Password for sudo: ') } : {}
  const clock = new Clock()
  const warn = (text: string) => process.stderr.write(`warning: ${Secret.redact(text)}\n`)
  const ssh = {
    clock,
    warn,
    ...(acceptNewHostKeys && { hostKeys: 'accept-new' as const }),
    ...(interactive && {
      ask: ({ host, fingerprint }: { readonly host: string; readonly fingerprint: string }) =>
        askYes(`Unknown key of ${host}: ${fingerprint}. Trust it? [y/N] `),
      passphrase: ({ file }: { readonly file: string }) => askHidden(`Passphrase for ${file}: `),
    }),
  }
  return {
    transportOf: transports(ssh, transport),
    become,
    settings: { clock, warn, ...(timeoutFactor !== undefined && { timeoutFactor }) },
  }
}

/** Opens sessions as the command line specifies. */
export async function openSessions(flags: ConnectionFlags): Promise<OpenSession> {
  const { transportOf, become, settings } = await connectOptions(flags)
  return sessions(transportOf, become, settings)
}

/** Runs one command on a host over a connection of its own. @throws Problem if the host is unreachable */
export async function runOnHost(
  host: Host,
  { transportOf, become, settings: { timeoutFactor, clock } }: ConnectOptions,
  command: Omit<ForegroundCommand, 'host' | 'become' | 'shellTimeout' | 'timeoutFactor' | 'clock'>,
): Promise<ForegroundResult> {
  const connection = await (await transportOf(host)).connect(targetOf(host, timeoutFactor), command.stop)
  try {
    const timeouts = sessionTimeouts(timeoutsFor(host, timeoutFactor))
    return await runInForeground(connection, {
      host: host.name,
      become: becomeOf(host, become),
      shellTimeout: timeouts.timeout,
      timeoutFactor: timeouts.timeoutFactor,
      ...(clock && { clock }),
      ...command,
    })
  } finally {
    await connection.close()
  }
}
