import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { missingPackage } from '../model/optional-package.ts'
import { Problem } from '../model/problem.ts'
import { Secret } from '../shell/secret.ts'
import { announceInteraction } from './interaction.ts'

export interface AgeOptions {
  /**
   * A file with identities (one `AGE-SECRET-KEY-1…` a line, `#` for comments), or the same text as a Secret.
   * @default $PROVISION_AGE_IDENTITY, $SOPS_AGE_KEY_FILE or ~/.config/sops/age/keys.txt, the first that is set or exists
   */
  readonly identity?: string | Secret
  /** For a file encrypted with `age --passphrase`, which needs no identity. */
  readonly passphrase?: Secret
}

/** The content of an age file, binary or armored, without the trailing line break. It is decrypted in memory only. */
export function age(path: string, { identity, passphrase }: AgeOptions = {}): Secret {
  announceInteraction()
  return new Secret(() => {
    const file = bytesOf(path, `The secret file ${path}`, 'Give its path, relative to where the command is run.')
    if (!AGE.test(file.toString('latin1')))
      throw new Problem(`The secret file ${path} is not encrypted with age`, {
        next: 'Encrypt it: age --encrypt --recipient age1… --output FILE',
      })
    const keys = passphrase ? { passphrase: passphrase.reveal() } : { identities: identitiesIn(identity, path) }
    const { text, error } = decrypted({ file, ...keys })
    if (text !== undefined) return text.replace(/\r?\n$/, '')
    throw new Problem(`The secret file ${path} cannot be decrypted: ${Secret.redact(error ?? '')}`, {
      next: passphrase
        ? 'Check the passphrase.'
        : `Check that it is encrypted for the identity in ${typeof identity === 'string' ? identity : 'use'}: age-keygen -y shows its recipient.`,
    })
  })
}

/** Checked first: the library's error for any other file shows the file's first line. */
const AGE = /^(age-encryption\.org\/v1\n|\s*-----BEGIN AGE ENCRYPTED FILE-----)/

function identitiesIn(given: string | Secret | undefined, path: string): readonly string[] {
  const from = given ?? defaultIdentity()
  const text =
    from instanceof Secret ? from.reveal() : bytesOf(from, `The age identity for ${path}`, NO_IDENTITY).toString()
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  const found = lines.filter((line) => line.startsWith('AGE-SECRET-KEY-'))
  // Registered for redaction: the library's error shows a damaged identity.
  if (found.length > 0) return found.map((line) => new Secret(() => line).reveal())
  throw new Problem(`There is no age identity in ${from instanceof Secret ? 'the given secret' : from}`, {
    next: 'The identity is a line AGE-SECRET-KEY-1…, as age-keygen writes it. SSH keys and plugins are not supported here: use secret.command("age", "--decrypt", …).',
  })
}

function defaultIdentity(): string {
  const set = process.env['PROVISION_AGE_IDENTITY'] || process.env['SOPS_AGE_KEY_FILE']
  return set || join(process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'sops/age/keys.txt')
}

const NO_IDENTITY = 'Give the path of the identities, or set $PROVISION_AGE_IDENTITY to it.'

function bytesOf(path: string, what: string, next: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new Problem(`${what} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { next })
  }
}

interface DecryptRequest {
  readonly file: Uint8Array
  readonly identities?: readonly string[]
  readonly passphrase?: string
}

interface Decrypted {
  readonly text?: string
  readonly error?: string
}

/**
 * Decrypts synchronously, in a worker thread that does not keep the process alive: secrets are revealed in synchronous code, and the
 * library is asynchronous.
 */
function decrypted(request: DecryptRequest): Decrypted {
  thread ??= startThread()
  const { port, answered } = thread
  Atomics.store(answered, 0, 0)
  port.postMessage(request)
  if (Atomics.wait(answered, 0, 0, TIMEOUT) === 'timed-out') return { error: 'it took more than a minute' }
  const received: { readonly message: Decrypted } | undefined = receiveMessageOnPort(port)
  return received?.message ?? { error: 'there was no answer' }
}

/** In milliseconds. Deriving a key from a passphrase takes seconds by design. */
const TIMEOUT = 60_000

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

/**
 * The URL of the library, resolved from this file, else from the program that was started.
 * @throws Problem if it is not installed
 */
function library(): string {
  const [, program = ''] = process.argv
  for (const from of [import.meta.url, program]) {
    try {
      return pathToFileURL(createRequire(from).resolve('age-encryption')).href
    } catch {
      // Not installed where this path resolves packages.
    }
  }
  throw missingPackage('age-encryption', 'A secret file encrypted with age')
}

/** Source text and not a file: a bundle has no separate file to start. */
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
port.on('message', (request) => open(request)
  .then((text) => ({ text }), (error) => ({ error: error instanceof Error ? error.message : String(error) }))
  .then((message) => {
    port.postMessage(message)
    Atomics.store(answered, 0, 1)
    Atomics.notify(answered, 0)
  }))
`
