import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'

interface Sealed {
  readonly file: Uint8Array
  readonly identities?: readonly string[]
  readonly passphrase?: string
}

interface Opened {
  readonly text?: string
  readonly fault?: string
}

/**
 * Decrypts while the caller waits: a secret is revealed in the midst of pure code that cannot wait for a promise, and the library
 * gives nothing else. So it runs in a thread of its own, which does not keep the process alive.
 */
export function decrypted(sealed: Sealed): Opened {
  thread ??= startThread()
  const { port, answered } = thread
  Atomics.store(answered, 0, 0)
  port.postMessage(sealed)
  if (Atomics.wait(answered, 0, 0, PATIENCE) === 'timed-out') return { fault: 'it took more than a minute' }
  const received: { readonly message: Opened } | undefined = receiveMessageOnPort(port)
  return received?.message ?? { fault: 'there was no answer' }
}

/** A passphrase takes seconds by design. */
const PATIENCE = 60_000

interface Thread {
  readonly port: MessagePort
  readonly answered: Int32Array<SharedArrayBuffer>
}

let thread: Thread | undefined

function startThread(): Thread {
  const { port1: port, port2 } = new MessageChannel()
  const answered = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(PROGRAM, {
    eval: true,
    execArgv: [],
    workerData: { library: library(), port: port2, answered },
    transferList: [port2],
  })
  worker.unref()
  port.unref()
  return { port, answered }
}

/** As it is found from our own files, or from the program that was started. */
function library(): string {
  const [, program = ''] = process.argv
  for (const from of [import.meta.url, program]) {
    try {
      return pathToFileURL(createRequire(from).resolve('age-encryption')).href
    } catch {
      // Not among the packages that are seen from there.
    }
  }
  return 'age-encryption'
}

/** Text, not a file: what is bundled has no file of its own to start. */
const PROGRAM = `
const { library, port, answered } = require('node:worker_threads').workerData
const open = async ({ file, identities = [], passphrase }) => {
  const { armor, Decrypter } = await import(library)
  const text = Buffer.from(file).toString('latin1')
  const decrypter = new Decrypter()
  if (passphrase !== undefined) decrypter.addPassphrase(passphrase)
  for (const identity of identities) decrypter.addIdentity(identity)
  return decrypter.decrypt(text.trimStart().startsWith('-----BEGIN') ? armor.decode(text) : new Uint8Array(file), 'text')
}
port.on('message', (sealed) => open(sealed)
  .then((text) => ({ text }), (error) => ({ fault: error instanceof Error ? error.message : String(error) }))
  .then((message) => {
    port.postMessage(message)
    Atomics.store(answered, 0, 1)
    Atomics.notify(answered, 0)
  }))
`
