import { TRAILER, TRIP } from './frame.ts'
import type { Task } from './tasks.ts'

export interface Sending {
  /** Starts a round trip with these bytes. */
  readonly write: (text: Buffer) => Promise<void>
  /** Passes on a piece of an input; settles when there is room for the next. */
  readonly pass: (piece: Uint8Array) => Promise<void>
}

/**
 * Sends the scripts of a trip in one write. One whose input follows ends the write, since the shell reads ahead and would take
 * the bytes for text; they go with the rest of the trip when the host is ready for them.
 */
export async function sendTasks(tasks: readonly Task[], { write, pass }: Sending): Promise<void> {
  let parts: Uint8Array[] = [Buffer.from(TRIP)]
  for (const { text, follows, ready } of tasks) {
    parts.push(text)
    if (!follows) continue
    await write(Buffer.concat(parts))
    parts = []
    if (!(await ready)) continue
    for await (const piece of follows) await pass(piece)
    parts = [Buffer.from(TRAILER)]
  }
  if (parts.length > 0) await write(Buffer.concat(parts))
}
