import { TRAILER, TRIP } from '../shell/frame.ts'
import type { Task } from './task.ts'

/**
 * Sends the scripts of a trip in one write. One whose input follows ends the write, since the shell reads ahead and would take
 * the bytes for text; they go with the rest of the trip when the host is ready for them.
 */
export async function send(tasks: readonly Task[], write: (text: Buffer) => void): Promise<void> {
  let parts: Uint8Array[] = [Buffer.from(TRIP)]
  for (const { text, follows, ready } of tasks) {
    parts.push(text)
    if (!follows) continue
    write(Buffer.concat(parts))
    parts = (await ready) ? [follows, Buffer.from(TRAILER)] : []
  }
  if (parts.length > 0) write(Buffer.concat(parts))
}
