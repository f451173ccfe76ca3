import type { Socket } from 'node:net'
import type { NextAuthHandler, ServerHostKeyAlgorithm, Client as Ssh2Client } from 'ssh2'
import type { Clock } from '../clock.ts'
import { Stopped } from '../errors.ts'
import type { HostKeyDecision } from './host-key.ts'
import type { AuthMethod } from './identity.ts'
import type { LoginSettings } from './settings.ts'
import { TimedOut, type Tunnel } from './socket.ts'
import { Client } from './ssh2.ts'

interface LoginParts {
  readonly settings: LoginSettings
  readonly clock: Clock
  readonly stop: AbortSignal | undefined
  readonly socket: Socket | Tunnel
  /** Host key algorithms. */
  readonly algorithms: readonly string[]
  readonly authMethods: readonly AuthMethod[]
  /** Decides about the host's key. May wait for the user. */
  readonly verifyHostKey: (key: Buffer) => Promise<HostKeyDecision>
}

interface LoggedIn {
  readonly client: Ssh2Client
  /** Adds the key of a new host to known_hosts; the host has proved that it owns the key. */
  readonly remember?: () => Promise<void>
}

/** The progress of a login, for the error message. */
export interface Progress {
  stage: 'greeting' | 'keys' | 'authentication'
  /** The methods that failed, each with the reason. */
  readonly refused: string[]
  /** The methods that the host accepts: `publickey, password`. */
  accepts: string
}

export class LoginFailed extends Error {
  readonly progress: Progress

  constructor(progress: Progress, cause: unknown) {
    super('the login failed', { cause })
    this.progress = progress
  }
}

/** The host rejected all authentication methods. */
export class NoAuthMethodsLeft extends Error {}

/**
 * Exchanges keys with the host and authenticates.
 *
 * @throws LoginFailed; Unreachable if the host's key is not trusted
 */
export function login(parts: LoginParts): Promise<LoggedIn> {
  const { settings, clock, stop, socket, algorithms, authMethods, verifyHostKey } = parts
  return new Promise((resolve, reject) => {
    const client = new Client()
    const progress: Progress = { stage: 'greeting', refused: [], accepts: '' }
    let decision: HostKeyDecision | undefined
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
      // The host has sent its greeting and no more.
      if (cause instanceof TimedOut && progress.stage === 'greeting' && socket.bytesRead > 0) progress.stage = 'keys'
      reject(new LoginFailed(progress, cause))
      client.destroy()
      socket.destroy()
    }
    client.on('error', (error) => {
      // Not fatal: a key of the agent could not sign. ssh2 continues with the next.
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
      // The rest of the packet is read before the caller can listen; an unhandled error would end the process.
      client.on('error', () => {})
      const remember = decision?.trusted ? decision.remember : undefined
      resolve({ client, ...(remember ? { remember } : {}) })
    })

    const verify = async (key: Buffer, answer: (trusted: boolean) => void) => {
      progress.stage = 'keys'
      silence.pause()
      decision = await verifyHostKey(key)
      if (decision.trusted) silence.restart()
      else {
        settle()
        reject(decision.error)
      }
      answer(decision.trusted)
    }

    const queue = [...authMethods]
    let offered: AuthMethod | undefined
    const authenticate = async (left: readonly string[] | null, partly: boolean | null, next: NextAuthHandler) => {
      if (offered && !partly && offered.method !== 'none') progress.refused.push(`${offered.label}: refused`)
      if (left) progress.accepts = left.join(', ')
      for (let candidate = queue.shift(); candidate; candidate = queue.shift()) {
        if (left && candidate.method !== 'none' && !left.includes(candidate.method)) continue
        silence.pause()
        const method = await candidate.create()
        silence.restart()
        if (typeof method === 'string') {
          progress.refused.push(`${candidate.label}: not used, ${method}`)
          continue
        }
        offered = candidate
        next(method)
        return
      }
      fail(new NoAuthMethodsLeft())
    }

    stop?.addEventListener('abort', abort)
    client.connect({
      sock: socket,
      username: settings.user,
      // The client's own timeout would run while the user decides about a host key.
      readyTimeout: 0,
      // ssh2 sends the messages; client.ts counts the received bytes.
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
        authenticate(left, partly, next).catch(fail)
      },
    })
  })
}

function isHostKeyAlgorithm(name: string): name is ServerHostKeyAlgorithm {
  return /^(ssh-ed25519|ecdsa-sha2-nistp\d+|rsa-sha2-\d+)$/.test(name)
}
