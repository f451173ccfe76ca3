import { Writable } from 'node:stream'
import type { Link } from '../../src/transport/wire.ts'

/** What a promise was rejected with. */
export async function thrown(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

/** A link whose commands see the end of their stdin after so many bytes, as when a connection breaks. */
export function cutShort(link: Link, limit: number): Link {
  return {
    traffic: link.traffic,
    close: () => link.close(),
    async start(command) {
      const wire = await link.start(command)
      let left = limit
      const stdin = new Writable({
        write(chunk: Buffer, _encoding, done) {
          const part = chunk.subarray(0, left)
          left -= part.length
          if (part.length > 0) wire.stdin.write(part)
          if (left === 0) wire.stdin.end()
          done()
        },
        final(done) {
          wire.stdin.end()
          done()
        },
      })
      return { ...wire, stdin, destroy: () => {} }
    },
  }
}
