import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { Clock } from './clock.ts'
import type { Wire } from './wire.ts'

/** When a command has ended: until its last output is here. Not for ever, for what it left behind may hold the streams open. */
export async function settled({ stdout, stderr }: Wire, clock: Clock): Promise<void> {
  const over = new AbortController()
  const { signal } = over
  const ends = [stdout, stderr].map((stream: Readable) => finished(stream, { signal }).catch(() => {}))
  await Promise.race([Promise.all(ends), clock.wait(GRACE, signal)])
  over.abort()
}

const GRACE = 250
