import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Wire } from './wire.ts'

/** When a command has ended: until its last output is here. Not for ever, for what it left behind may hold the streams open. */
export async function settled({ stdout, stderr }: Wire): Promise<void> {
  const patience = new AbortController()
  const { signal } = patience
  const ends = [stdout, stderr].map((stream: Readable) => finished(stream, { signal }).catch(() => {}))
  await Promise.race([Promise.all(ends), sleep(GRACE, undefined, { signal })]).catch(() => {})
  patience.abort()
}

const GRACE = 250
