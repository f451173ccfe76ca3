import { Readable, Writable } from 'node:stream'
import type { ClientChannel } from 'ssh2'
import type { Exit, RemoteProcess } from '../transport.ts'

/**
 * A channel as a RemoteProcess. ssh2's channel is one stream for both directions, and its 'close' comes only when all of its
 * output was read; here each direction stands for itself, and the channel is always read.
 */
export function channelProcess(channel: ClientChannel, lost: Promise<string>): RemoteProcess {
  const stdout = reading(channel)
  const stderr = reading(channel.stderr)
  const stdin = writing(channel)
  let settle: (ending: Exit) => void = () => {}
  const ended = new Promise<Exit>((resolve) => {
    settle = resolve
  })
  channel.on('exit', (code: number | null, signal?: string) => {
    settle(code === null ? { ...(signal ? { signal } : {}) } : { code })
  })
  channel.on('close', () => {
    stdin.destroy()
    // The end of a connection closes its channels first and is told of a moment later.
    setImmediate(() => settle({}))
  })
  void lost.then((why) => {
    settle({ lost: why })
    stdin.destroy()
  })
  return {
    stdin,
    stdout,
    stderr,
    ended,
    destroy() {
      channel.close()
      settle({})
      for (const stream of [stdin, stdout, stderr]) stream.destroy()
    },
  }
}

function reading(source: Readable): Readable {
  const stream = new Readable({
    read: () => void source.resume(),
    destroy(error, done) {
      // What still comes is thrown away, or the channel would never close.
      source.removeAllListeners('data').resume()
      done(error)
    },
  })
  source.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) source.pause()
  })
  source.once('end', () => stream.push(null))
  source.on('error', () => {})
  return stream
}

function writing(channel: ClientChannel): Writable {
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => void channel.write(chunk, done),
    final(done) {
      channel.end()
      done()
    },
  })
  // The command may end before it has read all; `ended` tells.
  stream.on('error', () => {})
  return stream
}
