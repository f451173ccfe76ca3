import type { Shell } from '../../shell/sh.ts'
import type { RemoteProcess } from '../transport.ts'
import { killTree, type ProcessId } from './process-tree.ts'

/** Kills a process and all that it started, from a shell of its own. */
export function killProcess(start: () => Promise<RemoteProcess>, process: ProcessId): Promise<void> {
  return runInOwnShell(start, killTree(process))
}

/** Runs a script in a shell of its own; what it says is of no interest. */
export async function runInOwnShell(start: () => Promise<RemoteProcess>, script: Shell): Promise<void> {
  const wire = await start()
  wire.stdout.on('error', () => {}).resume()
  wire.stderr.on('error', () => {}).resume()
  wire.stdin.on('error', () => {}).end(script.text)
  await wire.ended
}
