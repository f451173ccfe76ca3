import { Writable } from 'node:stream'
import type { Connection } from '../../src/transport/transport.ts'

/** The rejection of a promise. */
export async function thrown(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

/** A connection whose commands see the end of stdin after a number of bytes, as if the connection broke. */
export function cutShort(connection: Connection, limit: number): Connection {
  return {
    traffic: connection.traffic,
    close: () => connection.close(),
    async start(command) {
      const remote = await connection.start(command)
      let left = limit
      const stdin = new Writable({
        write(chunk: Buffer, _encoding, done) {
          const part = chunk.subarray(0, left)
          left -= part.length
          if (part.length > 0) remote.stdin.write(part)
          if (left === 0) remote.stdin.end()
          done()
        },
        final(done) {
          remote.stdin.end()
          done()
        },
      })
      return { ...remote, stdin, destroy: () => {} }
    },
  }
}

/**
 * Succeeds when one round trip is faster than a packet that Nagle's algorithm delays until the acknowledgement 40 ms later. A slow machine
 * may need many tries; with the algorithm no round trip is fast.
 */
export async function quickOnce(roundTrip: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    const began = performance.now()
    await roundTrip()
    if (performance.now() - began < 35) return
  }
  throw new Error('no round trip of 1,000 took less than 35 ms')
}
