import { readFileSync } from 'node:fs'
import { quote } from '../../shell/quote.ts'
import { Unreachable, type UnreachableReason } from '../errors.ts'
import { fingerprint } from '../ssh/encoding.ts'
import type { Login } from './arguments.ts'

export interface OpensshFailure extends Login {
  /** What ssh wrote to stderr. */
  readonly said: string
  /** We stopped waiting. */
  readonly late: boolean
}

/** Why ssh did not get us to a host, out of its own last words. */
export function opensshError(trouble: OpensshFailure): Unreachable {
  const { target, through, said, late, connectTimeout, loginTimeout } = trouble
  const sign = SIGNS.find(({ pattern }) => pattern.test(said)) ?? (late ? LATE : ODD)
  const seen = through ? ` from ${through.login.target.name}` : ''
  return new Unreachable(sign.what(`${target.name}`, seen), {
    reason: sign.reason,
    details: [
      ...(target.hostKey !== undefined && sign.reason === 'host-key' ? [`inventory: ${target.hostKey}`] : []),
      ...(late ? [`waited ${(connectTimeout + 2 * loginTimeout) / 1000} s`] : []),
      ...known(said),
      ...lastLines(said).map((line) => `ssh: ${line}`),
    ],
    next: typeof sign.next === 'string' ? sign.next : sign.next(`${trouble.program} ${login(trouble)}`),
  })
}

interface Sign {
  readonly pattern: RegExp
  readonly reason: UnreachableReason
  readonly what: (name: string, seen: string) => string
  readonly next: string | ((login: string) => string)
}

/** What OpenSSH 8 to 10 says, the more telling first: a jump host that cannot go on makes its ssh hang up, too. */
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
    what: (name, seen) => `${name}: there is no address for it${seen}`,
    next: 'Check the name, or give the address.',
  },
  {
    pattern: /administratively prohibited/i,
    reason: 'refused',
    what: (name, seen) => `we are not let through to ${name}${seen}`,
    next: 'See AllowTcpForwarding and PermitOpen in the sshd_config of the jump host.',
  },
  {
    pattern: /connection refused/i,
    reason: 'refused',
    what: (name, seen) => `${name} refuses connections${seen}`,
    next: 'Is the host up, does sshd run, and at this port?',
  },
  {
    pattern: /no route to host|network is unreachable/i,
    reason: 'no-route',
    what: (name, seen) => `There is no route to ${name}${seen}`,
    next: 'Check the network, a VPN that may be down, and the address.',
  },
  {
    pattern: /timed out/i,
    reason: 'timeout',
    what: (name, seen) => `${name} does not answer${seen}`,
    next: 'Is the host up? Does a firewall drop the packets?',
  },
  {
    pattern: /(kex|ssh)_exchange_identification|connection (closed|reset) by|broken pipe/i,
    reason: 'dropped',
    what: (name) => `${name} hung up before it said who it is`,
    next: 'Too many logins at once (MaxStartups in sshd_config), a ban (fail2ban), or it is no SSH server.',
  },
]

const LATE: Omit<Sign, 'pattern'> = {
  reason: 'timeout',
  what: (name) => `${name} does not finish the login`,
  next: 'The host may hang; or the key waits for a touch.',
}

const ODD: Omit<Sign, 'pattern'> = {
  reason: 'lost',
  what: (name) => `${name} cannot be reached with ssh`,
  next: (login) => `What does it say to: ${login}`,
}

/** What a person would type. */
function login({ target }: Login): string {
  const { host, user, port } = target
  return `${port === undefined ? '' : `-p ${port} `}${quote(user === undefined ? host : `${user}@${host}`)}`
}

/** ssh says of a changed key only where the old one stands. */
function known(said: string): readonly string[] {
  const [, type, file, line] = /Offending (\S+) key in (.+):(\d+)/.exec(said) ?? []
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

function lastLines(said: string): readonly string[] {
  const lines = said.split(/\r?\n/).map((line) => line.trim())
  return lines.filter((line) => line !== '' && !/^(@+|Warning: Permanently added .*)$/.test(line)).slice(-8)
}
