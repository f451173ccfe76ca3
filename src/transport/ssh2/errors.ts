import { Problem } from '../../model/problem.ts'
import { quote } from '../../shell/sh.ts'
import { errno, Unreachable } from '../errors.ts'
import { FAILURES, type Failure } from '../ssh/errors.ts'
import { LoginFailed, NoAuthMethodsLeft } from './login.ts'
import { address, type LoginSettings } from './settings.ts'
import { TimedOut } from './socket.ts'

interface ConnectAttempt {
  readonly settings: LoginSettings
  /** The last jump host. */
  readonly through: LoginSettings | undefined
  /** The keys that were not used, each with the reason. */
  readonly notes: readonly string[]
}

/** The error for a failed connection. A Problem is returned unchanged. */
export function connectError(error: unknown, attempt: ConnectAttempt): Problem {
  if (error instanceof Problem) return error
  if (error instanceof LoginFailed && error.cause instanceof Problem) return error.cause
  const { settings, through } = attempt
  const failure = error instanceof LoginFailed ? loginFailure(error, attempt) : socketFailure(error, attempt)
  const route = `tried ${address(settings)}${through ? ` through ${through.name} (${address(through)})` : ''}`
  return new Unreachable(failure.what, { ...failure, details: [...(failure.details ?? []), route], cause: error })
}

function socketFailure(error: unknown, { settings, through }: ConnectAttempt): Failure {
  const { name, connectTimeout } = settings
  const code = error instanceof TimedOut ? 'ETIMEDOUT' : (errno(error) ?? forwardError(error))
  const kind = ERRNO[code ?? '']
  if (kind === undefined) return { what: `${name} cannot be reached: ${messageOf(error)}`, reason: 'lost' }
  return {
    ...FAILURES[kind](name, through ? ` from ${through.name}` : ''),
    ...(kind === 'timeout' && { details: [`waited ${connectTimeout / 1000} s`] }),
  }
}

const ERRNO: Readonly<Record<string, keyof typeof FAILURES>> = {
  ENOTFOUND: 'address',
  EAI_AGAIN: 'address',
  EAI_NODATA: 'address',
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'noRoute',
  ENETUNREACH: 'noRoute',
  EADDRNOTAVAIL: 'noRoute',
  ECONNRESET: 'dropped',
  prohibited: 'prohibited',
}

/** The error code that corresponds to a jump host's message about a failed forward. */
function forwardError(error: unknown): string | undefined {
  const message = messageOf(error)
  // OpenSSH reports this for AllowTcpForwarding no; for PermitOpen it says "prohibited".
  if (/prohibited|: open failed$/i.test(message)) return 'prohibited'
  if (/refused/i.test(message)) return 'ECONNREFUSED'
  if (/timed out/i.test(message)) return 'ETIMEDOUT'
  if (/no route|unreachable/i.test(message)) return 'EHOSTUNREACH'
  if (/name or service|name resolution|nodename|not known/i.test(message)) return 'ENOTFOUND'
  return undefined
}

function loginFailure(error: LoginFailed, attempt: ConnectAttempt): Failure {
  const { name } = attempt.settings
  if (error.progress.stage === 'greeting') return greetingFailure(error.cause, attempt.settings)
  if (error.progress.stage === 'authentication') return authenticationFailure(error, attempt)
  return keyExchangeFailure(error.cause, name)
}

function greetingFailure(cause: unknown, { name, loginTimeout }: LoginSettings): Failure {
  if (cause instanceof TimedOut)
    return {
      what: `${name} accepts the connection but sends no SSH greeting`,
      reason: 'timeout',
      details: [`waited ${loginTimeout / 1000} s for the greeting`],
      next: 'The host may hang or be overloaded, or another service listens on this port.',
    }
  if (/before handshake|ECONNRESET|EPIPE|closed the connection/.test(messageOf(cause))) return FAILURES.dropped(name)
  return keyExchangeFailure(cause, name)
}

function keyExchangeFailure(cause: unknown, name: string): Failure {
  if (cause instanceof TimedOut)
    return {
      what: `${name} does not finish the key exchange`,
      reason: 'timeout',
      next: 'The host may hang or be overloaded, or the network drops large packets (MTU).',
    }
  const message = messageOf(cause).replace('Handshake failed: ', '')
  return {
    what: `The key exchange with ${name} failed: ${message}`,
    reason: 'protocol',
    ...(/no matching/.test(message)
      ? { next: 'Its sshd is too old or too strict for ssh2; see the algorithms in its sshd_config.' }
      : {}),
  }
}

function authenticationFailure({ progress, cause }: LoginFailed, { settings, notes }: ConnectAttempt): Failure {
  const { name, user, port, host, loginTimeout } = settings
  if (cause instanceof TimedOut)
    return { ...FAILURES.slowLogin(name), details: [`no data for ${loginTimeout / 1000} s`] }
  const details = [...progress.refused, ...notes, ...(progress.accepts ? [`it accepts: ${progress.accepts}`] : [])]
  const message = messageOf(cause)
  if (/too many authentication failures/i.test(message)) return { ...FAILURES.tooManyKeys(name), details }
  if (!(cause instanceof NoAuthMethodsLeft))
    return { what: `${name} ended the login: ${message}`, reason: 'lost', details }
  const none = progress.refused.length === 0
  return {
    what: `${name} rejects the login of ${user}: ${none ? 'there is no key to offer' : 'no key was accepted'}`,
    reason: 'authentication',
    details,
    next: `Add your public key to the host: ssh-copy-id${port === 22 ? '' : ` -p ${port}`} ${quote(`${user}@${host}`)}, or set another identityFile or user.`,
  }
}

function messageOf(error: unknown): string {
  const code = errno(error)
  const message = error instanceof Error ? error.message : String(error)
  return code !== undefined && !message.includes(code) ? `${message} (${code})` : message
}
