import { matchHosts } from '../api/limit.ts'
import {
  becomeOf,
  type SessionSettings,
  sessions,
  type TransportOf,
  targetOf,
  timeoutsFor,
  transports,
} from '../api/sessions.ts'
import type { OpenSession } from '../engine/hosts/scripts.ts'
import type { Become, Host } from '../model/inventory/host.ts'
import type { Inventory } from '../model/inventory/inventory.ts'
import { Secret } from '../shell/secret.ts'
import { Clock, sessionTimeouts } from '../transport/clock.ts'
import { type ForegroundCommand, type ForegroundResult, runInForeground } from '../transport/session/foreground.ts'
import { load } from './load/load.ts'
import { type Installation, inventoryPath } from './load/paths.ts'
import type { ConnectionFlags, HostFlags } from './options.ts'
import { askHidden, askYes } from './prompt.ts'

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
  forks,
  transport,
}: ConnectionFlags): Promise<ConnectOptions> {
  const interactive = process.stdin.isTTY && process.stderr.isTTY
  const become: Become = askBecomePassword ? { password: await askHidden('Password for sudo: ') } : {}
  const clock = new Clock()
  const warn = (text: string) => process.stderr.write(`warning: ${Secret.redact(text)}\n`)
  const ssh = {
    clock,
    warn,
    ...(forks !== undefined && { concurrency: forks }),
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
