import { killTree, type ProcessId } from '../shell/process-tree.ts'
import type { Wire } from './wire.ts'

/** Kills a process and all that it started, from a shell of its own. */
export async function stop(start: () => Promise<Wire>, process: ProcessId): Promise<void> {
  const wire = await start()
  wire.stdout.on('error', () => {}).resume()
  wire.stderr.on('error', () => {}).resume()
  wire.stdin.on('error', () => {}).end(killTree(process).text)
  await wire.ended
}
