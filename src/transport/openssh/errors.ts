import { readFileSync } from 'node:fs'
import { quote } from '../../shell/quote.ts'
import { Unreachable, type UnreachableReason } from '../errors.ts'
import { fingerprint } from '../ssh/encoding.ts'
import type { Target } from '../transport.ts'
import type { LoginCommand } from './options.ts'

export interface OpensshFailure extends LoginCommand {
  /** The name of the last jump host, if any. */
  readonly through: string | undefined
  readonly stderr: string
  /** Milliseconds after which we stopped waiting. */
  readonly timedOutAfter?: number
}

/** The error for a failed login, from the stderr of ssh. */
export function opensshError({
  target,
  program,
  through,
  stderr,
  timedOutAfter,
}: OpensshFailure): Unreachable {
  const fallback = timedOutAfter === undefined ? UNKNOWN : TIMED_OUT
  const sign = SIGNS.find(({ pattern }) => pattern.test(stderr)) ?? fallback
  return new Unreachable(sign.what(target.name, through === undefined ? '' : ` from ${through}`), {
    reason: sign.reason,
    details: [
      ...(target.hostKey !== undefined && sign.reason === 'host-key' ? [`inventory: ${target.hostKey}`] : []),
      ...(timedOutAfter === undefined ? [] : [`waited ${timedOutAfter / 1000} s`]),
      ...knownKey(stderr),
      ...lastLines(stderr).map((line) => `ssh: ${line}`),
    ],
    next: typeof sign.next === 'string' ? sign.next : sign.next(`${program} ${destination(target)}`),
  })
}

interface Sign {
  readonly pattern: RegExp
  readonly reason: UnreachableReason
  /** @param from ` from JUMP HOST`, or nothing */
  readonly what: (name: string, from: string) => string
  readonly next: string | ((login: string) => string)
}

/** Messages of OpenSSH 8 to 10, the most specific first: a failed forward of a jump host also closes the connection. */
const SIGNS: readonly Sign[] = [
  {
    pattern: /bad configuration option: knownhostscommand/i,
    reason: 'settings',
    what: (name) => `the ssh of this machine cannot hold ${name} to the hostKey of the inventory`,
    next: 'It is older than OpenSSH 8.5. Take a newer one, or put the key into known_hosts in place of hostKey.',
  },
  {
    pattern: /bad configuration option|bad owner or permissions|terminating, \d+ bad|can't open user config/i,
    reason: 'settings',
    what: (name) => `ssh does not like its configuration for ${name}`,
    next: (login) => `Try: ${login}`,
  },
  {
    pattern: /exec: .*not found/i,
    reason: 'settings',
    what: (name) => `${name} is to be reached with ssh, and there is none on this machine`,
    next: "Install openssh-client, or take the transport 'ssh2'.",
  },
  {
    pattern: /revoked host key|host key .*revoked/i,
    reason: 'host-key',
    what: (name) => `${name} shows a host key that was revoked`,
    next: 'Give the host a new key; a revoked one is never accepted.',
  },
  {
    pattern: /^shown: /m,
    reason: 'host-key',
    what: (name) => `${name} shows another host key than the inventory says`,
    next: 'If the host was set up anew, write the new fingerprint into hostKey; if not, somebody may stand between you and it.',
  },
  {
    pattern: /host identification has changed|host key for .* has changed/i,
    reason: 'host-key',
    what: (name) => `The host key of ${name} has changed`,
    next: 'If the host was set up anew, take out its line with ssh-keygen -R; if not, somebody may stand between you and it.',
  },
  {
    pattern: /host key verification failed|no .* host key is known/i,
    reason: 'host-key',
    what: (name) => `The host key of ${name} is not known`,
    next: (login) =>
      `Compare the fingerprint with the host's own: log in once with ${login}, give it as hostKey, or run with --accept-new-host-keys.`,
  },
  {
    pattern: /no matching .* found|unable to negotiate/i,
    reason: 'protocol',
    what: (name) => `${name} and ssh cannot agree`,
    next: 'See the algorithms in ssh_config and in its sshd_config.',
  },
  {
    pattern: /too many authentication failures/i,
    reason: 'authentication',
    what: (name) => `${name} hung up after too many keys`,
    next: 'Name the right key with identityFile and set IdentitiesOnly yes in ssh_config.',
  },
  {
    pattern: /permission denied \(/i,
    reason: 'authentication',
    what: (name) => `${name} does not let us in`,
    next: (login) =>
      `Here ssh asks for no password: it takes keys, certificates, an agent, Kerberos. What does it say to: ${login}`,
  },
  {
    pattern: /could not resolve|name or service not known|name resolution/i,
    reason: 'address',
    what: (name, from) => `${name}: there is no address for it${from}`,
    next: 'Check the name, or give the address.',
  },
  {
    pattern: /administratively prohibited/i,
    reason: 'refused',
    what: (name, from) => `we are not let through to ${name}${from}`,
    next: 'See AllowTcpForwarding and PermitOpen in the sshd_config of the jump host.',
  },
  {
    pattern: /connection refused/i,
    reason: 'refused',
    what: (name, from) => `${name} refuses connections${from}`,
    next: 'Is the host up, does sshd run, and at this port?',
  },
  {
    pattern: /no route to host|network is unreachable/i,
    reason: 'no-route',
    what: (name, from) => `There is no route to ${name}${from}`,
    next: 'Check the network, a VPN that may be down, and the address.',
  },
  {
    pattern: /timed out/i,
    reason: 'timeout',
    what: (name, from) => `${name} does not answer${from}`,
    next: 'Is the host up? Does a firewall drop the packets?',
  },
  {
    pattern: /(kex|ssh)_exchange_identification|connection (closed|reset) by|broken pipe/i,
    reason: 'dropped',
    what: (name) => `${name} hung up before it said who it is`,
    next: 'Too many logins at once (MaxStartups in sshd_config), a ban (fail2ban), or it is no SSH server.',
  },
]

const TIMED_OUT: Omit<Sign, 'pattern'> = {
  reason: 'timeout',
  what: (name) => `${name} does not finish the login`,
  next: 'The host may hang; or the key waits for a touch.',
}

const UNKNOWN: Omit<Sign, 'pattern'> = {
  reason: 'lost',
  what: (name) => `${name} cannot be reached with ssh`,
  next: (login) => `What does it say to: ${login}`,
}

/** The arguments that a user would type. */
function destination({ host, user, port }: Target): string {
  return `${port === undefined ? '' : `-p ${port} `}${quote(user === undefined ? host : `${user}@${host}`)}`
}

/** The old key of a host with a changed one: ssh reports its line only. */
function knownKey(stderr: string): readonly string[] {
  const [, type, file, line] = /Offending (\S+) key in (.+):(\d+)/.exec(stderr) ?? []
  if (file === undefined) return []
  const [, key] = /\s[a-z0-9@.-]+\s+(AAAA\S+)/.exec(lineOf(file, Number(line))) ?? []
  return key ? [`known: ${type} ${fingerprint(Buffer.from(key, 'base64'))} (${file}:${line})`] : []
}

function lineOf(file: string, line: number): string {
  try {
    return readFileSync(file, 'utf8').split('\n')[line - 1] ?? ''
  } catch {
    return ''
  }
}

function lastLines(stderr: string): readonly string[] {
  const lines = stderr.split(/\r?\n/).map((line) => line.trim())
  return lines.filter((line) => line !== '' && !/^(@+|Warning: Permanently added .*)$/.test(line)).slice(-8)
}
