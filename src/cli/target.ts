import type { Become, Host } from '../model/inventory/host.ts'
import type { Inventory } from '../model/inventory/inventory.ts'
import type { Problem } from '../model/problem.ts'
import { paintFor, showProblem } from '../report/problem.ts'
import {
  type ForegroundCommand,
  type ForegroundResult,
  runInForeground,
} from '../transport/session/foreground.ts'
import { sessionTimeouts } from '../transport/timeouts.ts'
import { EXIT } from './exit.ts'
import { matchHosts } from './limit.ts'
import { type Installation, loadInventory } from './load/load.ts'
import { inventoryPath } from './load/paths.ts'
import type { ReachFlags } from './options.ts'
import { becomeOf, type SessionSettings, targetOf, timeoutsFor } from './sessions.ts'
import { sshOptions } from './ssh-options.ts'
import { type TransportOf, transports } from './transports.ts'

/** The hosts that a command is for. */
export interface SelectedHosts {
  readonly inventory: Inventory
  /** Each once, although it may stand in several groups. */
  readonly hosts: readonly Host[]
}

/** Loads the inventory and takes the hosts of `--limit`, and of a word of the command line that means the same. */
export async function selectHosts(
  { inventory: path, limit, typeCheck }: Pick<ReachFlags, 'inventory' | 'limit' | 'typeCheck'>,
  own: Installation,
  word?: string,
): Promise<SelectedHosts> {
  const inventory = await loadInventory({ inventory: inventoryPath(path), own, typeCheck })
  const filters = [limit, word].flatMap((one) =>
    one === undefined ? [] : [matchHosts(one, inventory.hosts)],
  )
  const hosts = inventory.hosts.filter((host) => filters.every((isIn) => isIn(host)))
  return { inventory, hosts: [...new Map(hosts.map((host) => [host.name, host])).values()] }
}

/** How hosts are reached: the flags, and what a person at the terminal adds. */
export interface ConnectOptions {
  readonly transportOf: TransportOf
  readonly become: Become
  readonly settings: SessionSettings
}

export async function connectOptions(flags: ReachFlags): Promise<ConnectOptions> {
  const { ssh, become, settings } = await sshOptions(flags)
  return { transportOf: transports(ssh, flags.transport), become, settings }
}

/** Runs one command on a host, heard while it runs, and leaves again. @throws Problem when the host cannot be reached */
export async function runOnHost(
  host: Host,
  { transportOf, become, settings: { timeoutFactor, clock } }: ConnectOptions,
  job: Omit<ForegroundCommand, 'host' | 'become' | 'shellTimeout' | 'timeoutFactor' | 'clock'>,
): Promise<ForegroundResult> {
  const link = await (await transportOf(host)).connect(targetOf(host, timeoutFactor), job.stop)
  try {
    const { timeout: shellTimeout, timeoutFactor: factor } = sessionTimeouts(timeoutsFor(host, timeoutFactor))
    return await runInForeground(link, {
      host: host.name,
      become: becomeOf(host, become),
      shellTimeout,
      timeoutFactor: factor,
      ...(clock && { clock }),
      ...job,
    })
  } finally {
    await link.close()
  }
}

/** Tells why hosts could not be reached; who reads the answers of the others is not disturbed. */
export function printProblems(problems: Iterable<Problem>): void {
  for (const problem of problems) process.stderr.write(`${showProblem(problem, paintFor(process.stderr))}\n`)
}

export function exitCodeOfCounts({
  failed,
  unreachable,
}: {
  readonly failed: number
  readonly unreachable: number
}) {
  if (failed > 0) return EXIT.failed
  return unreachable > 0 ? EXIT.unreachable : EXIT.ok
}
