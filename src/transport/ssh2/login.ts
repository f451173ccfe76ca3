import type { Socket } from 'node:net'
import type { NextAuthHandler, ServerHostKeyAlgorithm, Client as Ssh2Client } from 'ssh2'
import type { Clock } from '../clock.ts'
import type { Unreachable } from '../errors.ts'
import { Stopped } from '../errors.ts'
import type { HostKeyDecision } from './host-key.ts'
import type { AuthMethod } from './identity.ts'
import type { LoginSettings } from './settings.ts'
import { TimedOut } from './socket.ts'
import { Client } from './ssh2.ts'
import type { Tunnel } from './tunnel.ts'

export interface LoginParts {
  readonly settings: LoginSettings
  readonly clock: Clock
  readonly stop: AbortSignal | undefined
  readonly socket: Socket | Tunnel
  readonly algorithms: readonly string[]
  readonly proofs: readonly AuthMethod[]
  /** Judges the key that the host shows. May take as long as a person takes. */
  readonly judge: (key: Buffer) => Promise<HostKeyDecision>
}

export interface LoggedIn {
  readonly client: Ssh2Client
  /** Writes the key of a new host down; the host has proved by now that the key is its own. */
  readonly remember?: () => Promise<void>
}

/** How far a login came, for the message when it goes no further. */
export interface Progress {
  stage: 'greeting' | 'keys' | 'authentication'
  /** Proofs the host refused, or that could not be made, in words. */
  readonly refused: string[]
  /** What the host takes: `publickey, password`. */
  accepts: string
}

/** A login that failed, and how far it came. */
export class LoginFailed extends Error {
  readonly progress: Progress

  constructor(progress: Progress, cause: unknown) {
    super('the login failed', { cause })
    this.progress = progress
  }
}

/**
 * Agrees on keys with the host and proves who we are.
 *
 * @throws LoginFailed; Unreachable when the host's key is not to be trusted
 */
export function login({
  settings,
  clock,
  stop,
  socket,
  algorithms,
  proofs,
  judge,
}: LoginParts): Promise<LoggedIn> {
  return new Promise((resolve, reject) => {
    const client = new Client()
    const progress: Progress = { stage: 'greeting', refused: [], accepts: '' }
    let verdict: HostKeyDecision | undefined
    const silence = clock.limit({
      ms: settings.loginTimeout,
      progress: () => socket.bytesRead,
      expire: () => fail(new TimedOut()),
    })

    const abort = () => fail(new Stopped())
    const settle = () => {
      silence.end()
      stop?.removeEventListener('abort', abort)
    }
    const fail = (cause: unknown) => {
      settle()
      // It did greet us, and went silent then.
      if (cause instanceof TimedOut && progress.stage === 'greeting' && socket.bytesRead > 0)
        progress.stage = 'keys'
      reject(new LoginFailed(progress, cause))
      client.destroy()
      socket.destroy()
    }
    const distrust = (why: Unreachable) => {
      settle()
      reject(why)
    }
    client.on('error', (error) => {
      // Not the end: a key that would not sign. ssh2 goes on with the next one.
      if (error.level === 'agent') progress.refused.push(error.message)
      else fail(error)
    })
    client.on('close', () => fail(new Error('the host closed the connection')))
    client.once('handshake', () => {
      progress.stage = 'authentication'
      silence.restart()
    })
    client.once('ready', () => {
      settle()
      client.removeAllListeners()
      // The rest of the same packet is read before the next owner can listen; an error that nobody hears ends the process.
      client.on('error', () => {})
      const remember = verdict?.trusted ? verdict.remember : undefined
      resolve({ client, ...(remember ? { remember } : {}) })
    })

    const verify = async (key: Buffer, answer: (trusted: boolean) => void) => {
      progress.stage = 'keys'
      silence.pause()
      verdict = await judge(key)
      if (!verdict.trusted) distrust(verdict.why)
      else silence.restart()
      answer(verdict.trusted)
    }
    stop?.addEventListener('abort', abort)
    client.connect({
      sock: socket,
      username: settings.user,
      // A client's own clock would run while a person thinks about a host key.
      readyTimeout: 0,
      // ssh2 asks; whether the host lives is seen by its bytes (see connection.ts).
      keepaliveInterval: settings.keepalive.interval,
      keepaliveCountMax: Number.MAX_SAFE_INTEGER,
      algorithms: { serverHostKey: algorithms.filter(isHostKeyAlgorithm) },
      hostVerifier: (key: Buffer, answer: (trusted: boolean) => void) => {
        verify(key, answer).catch((error) => {
          fail(error)
          answer(false)
        })
      },
      authHandler: (left: readonly string[] | null, partly: boolean | null, next: NextAuthHandler) => {
        offer(left, partly, next).catch(fail)
      },
    })

    const queue = [...proofs]
    let offered: AuthMethod | undefined
    const offer = async (left: readonly string[] | null, partly: boolean | null, next: NextAuthHandler) => {
      if (offered && !partly && offered.method !== 'none') progress.refused.push(`${offered.label}: refused`)
      if (left) progress.accepts = left.join(', ')
      for (let proof = queue.shift(); proof; proof = queue.shift()) {
        if (left && proof.method !== 'none' && !left.includes(proof.method)) continue
        silence.pause()
        const method = await proof.make()
        silence.restart()
        if (typeof method === 'string') {
          progress.refused.push(`${proof.label}: not used, ${method}`)
          continue
        }
        offered = proof
        next(method)
        return
      }
      fail(new NoAuthMethodsLeft())
    }
  })
}

/** The host refused all that we have. */
export class NoAuthMethodsLeft extends Error {}

function isHostKeyAlgorithm(name: string): name is ServerHostKeyAlgorithm {
  return /^(ssh-ed25519|ecdsa-sha2-nistp\d+|rsa-sha2-\d+)$/.test(name)
}
