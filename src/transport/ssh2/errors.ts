import { Problem } from '../../model/problem.ts'
import { quote } from '../../shell/quote.ts'
import { errno, Unreachable, type UnreachableReason } from '../errors.ts'
import { LoginFailed, NoAuthMethodsLeft, type Progress } from './login.ts'
import { address, type LoginSettings } from './settings.ts'
import { TimedOut } from './socket.ts'

export interface ConnectAttempt {
  readonly settings: LoginSettings
  /** The last jump host. */
  readonly through: LoginSettings | undefined
  /** The keys that were not used, each with the reason. */
  readonly notes: readonly string[]
}

/** The error for a failed connection. A Problem is returned unchanged. */
export function connectError(error: unknown, way: ConnectAttempt): Problem {
  if (error instanceof Problem) return error
  if (error instanceof LoginFailed && error.cause instanceof Problem) return error.cause
  const failure = error instanceof LoginFailed ? afterConnecting(error, way) : beforeConnecting(error, way)
  const { what, reason, details = [], next } = failure
  return new Unreachable(what, {
    reason,
    details: [...details, routeText(way)],
    ...(next ? { next } : {}),
    cause: error,
  })
}

interface Failure {
  readonly what: string
  readonly reason: UnreachableReason
  readonly details?: readonly string[]
  readonly next?: string
}

function beforeConnecting(error: unknown, { settings, through }: ConnectAttempt): Failure {
  const { name, host, port, connectTimeout } = settings
  const seen = through ? ` from ${through.name}` : ''
  const code = error instanceof TimedOut ? 'ETIMEDOUT' : (errno(error) ?? throughJump(error))
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_NODATA':
      return {
        what: `${name}: there is no address for ${host}${seen}`,
        reason: 'address',
        next:
          code === 'EAI_AGAIN'
            ? 'The name server did not answer; try again.'
            : `Check the name, or give the address. Try: getent hosts ${quote(host)}`,
      }
    case 'ECONNREFUSED':
      return {
        what: `${name} refuses connections at port ${port}${seen}`,
        reason: 'refused',
        next: 'Is the host up, does sshd run, and at this port?',
      }
    case 'ETIMEDOUT':
      return {
        what: `${name} does not answer at port ${port}${seen}`,
        reason: 'timeout',
        details: [`waited ${connectTimeout / 1000} s`],
        next: 'Is the host up? Does a firewall drop the packets?',
      }
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return {
        what: `There is no route to ${name}${seen}`,
        reason: 'no-route',
        next: 'Check the network, a VPN that may be down, and the address.',
      }
    case 'ECONNRESET':
      return {
        what: `${name} hung up at once`,
        reason: 'dropped',
        next: 'Too many logins at once (MaxStartups in sshd_config), or a ban (fail2ban).',
      }
    case 'prohibited':
      return {
        what: `${through?.name} does not let us through to ${name}`,
        reason: 'refused',
        next: `See AllowTcpForwarding and PermitOpen in the sshd_config of ${through?.name}.`,
      }
    default:
      return { what: `${name} cannot be reached: ${messageOf(error)}`, reason: 'lost' }
  }
}

/** The error code that corresponds to a jump host's message about a failed forward. */
function throughJump(error: unknown): string | undefined {
  const message = messageOf(error)
  // OpenSSH reports this for AllowTcpForwarding no; for PermitOpen it says "prohibited".
  if (/prohibited|: open failed$/i.test(message)) return 'prohibited'
  if (/refused/i.test(message)) return 'ECONNREFUSED'
  if (/timed out/i.test(message)) return 'ETIMEDOUT'
  if (/no route|unreachable/i.test(message)) return 'EHOSTUNREACH'
  if (/name or service|name resolution|nodename|not known/i.test(message)) return 'ENOTFOUND'
  return undefined
}

function afterConnecting({ progress, cause }: LoginFailed, way: ConnectAttempt): Failure {
  if (progress.stage === 'greeting') return noGreeting(cause, way)
  if (progress.stage === 'authentication') return noLogin(cause, { ...way, progress })
  return noAgreement(cause, way)
}

function noGreeting(cause: unknown, { settings: { name, port, loginTimeout } }: ConnectAttempt): Failure {
  if (cause instanceof TimedOut)
    return {
      what: `${name} takes the connection at port ${port} and says nothing`,
      reason: 'timeout',
      details: [`waited ${loginTimeout / 1000} s for the greeting`],
      next: 'The host may hang or be overloaded, or it is no SSH server that listens there.',
    }
  if (/before handshake|ECONNRESET|EPIPE|closed the connection/.test(messageOf(cause)))
    return {
      what: `${name} hung up before it said who it is`,
      reason: 'dropped',
      next: 'Too many logins at once (MaxStartups in sshd_config), a ban (fail2ban), or it is no SSH server.',
    }
  return noAgreement(cause, { settings: { name } })
}

function noAgreement(cause: unknown, { settings }: { settings: { name: string } }): Failure {
  if (cause instanceof TimedOut)
    return {
      what: `${settings.name} does not finish the key exchange`,
      reason: 'timeout',
      next: 'The host may hang or be overloaded; a path that drops large packets (MTU) looks the same.',
    }
  const message = messageOf(cause).replace('Handshake failed: ', '')
  return {
    what: `${settings.name} and we cannot agree: ${message}`,
    reason: 'protocol',
    ...(/no matching/.test(message)
      ? { next: 'Its sshd is too old or too strict for ssh2; see the algorithms in its sshd_config.' }
      : {}),
  }
}

function noLogin(
  cause: unknown,
  { settings, progress, notes }: ConnectAttempt & { progress: Progress },
): Failure {
  const { name, user, port, host, loginTimeout } = settings
  if (cause instanceof TimedOut)
    return {
      what: `${name} does not finish the login`,
      reason: 'timeout',
      details: [`it sent nothing for ${loginTimeout / 1000} s`],
      next: 'Its name service or PAM may hang; see its log.',
    }
  const details = [...progress.refused, ...notes]
  if (progress.accepts) details.push(`it accepts: ${progress.accepts}`)
  if (/too many authentication failures/i.test(messageOf(cause)))
    return {
      what: `${name} hung up after too many keys`,
      reason: 'authentication',
      details,
      next: 'Name the right key with identityFile and set IdentitiesOnly yes in ssh_config.',
    }
  if (!(cause instanceof NoAuthMethodsLeft))
    return { what: `${name} ended the login: ${messageOf(cause)}`, reason: 'lost', details }
  const none = progress.refused.length === 0
  return {
    what: `${name} does not let ${user} in: ${none ? 'there is no key to show' : 'no key was accepted'}`,
    reason: 'authentication',
    details,
    next: `Put your public key there: ssh-copy-id${port === 22 ? '' : ` -p ${port}`} ${quote(`${user}@${host}`)}, or name another key with identityFile, another user with user.`,
  }
}

function routeText({ settings, through }: ConnectAttempt): string {
  return `we tried ${address(settings)}${through ? ` through ${through.name} (${address(through)})` : ''}`
}

function messageOf(error: unknown): string {
  const code = errno(error)
  const message = error instanceof Error ? error.message : String(error)
  return code !== undefined && !message.includes(code) ? `${message} (${code})` : message
}
