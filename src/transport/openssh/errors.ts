import { readFileSync } from 'node:fs'
import { quote } from '../../shell/sh.ts'
import { Unreachable } from '../errors.ts'
import { fingerprint } from '../ssh/encoding.ts'
import { acceptKey, FAILURES, type Failure } from '../ssh/errors.ts'
import type { Target } from '../transport.ts'
import type { LoginCommand } from './options.ts'

interface OpensshFailure extends LoginCommand {
  /** The name of the last jump host, if any. */
  readonly through: string | undefined
  readonly stderr: string
  /** Milliseconds after which we stopped waiting. */
  readonly timedOutAfter?: number
}

/** The error for a failed login, from the stderr of ssh. */
export function opensshError(failed: OpensshFailure): Unreachable {
  const { target, program, through, stderr, timedOutAfter } = failed
  const [, describe = timedOutAfter === undefined ? UNKNOWN : FAILURES.slowLogin] =
    PATTERNS.find(([pattern]) => pattern.test(stderr)) ?? []
  const from = through === undefined ? '' : ` from ${through}`
  const failure = describe(target.name, from, `${program} ${destination(target)}`)
  return new Unreachable(failure.what, {
    ...failure,
    details: [
      ...(target.hostKey !== undefined && failure.reason === 'host-key' ? [`inventory: ${target.hostKey}`] : []),
      ...(timedOutAfter === undefined ? [] : [`waited ${timedOutAfter / 1000} s`]),
      ...knownKey(stderr),
      ...lastLines(stderr).map((line) => `ssh: ${line}`),
    ],
  })
}

/** @param login a command line that logs in manually */
type Describe = (name: string, from: string, login: string) => Failure

const UNKNOWN: Describe = (name, _from, login) => ({
  what: `${name} cannot be reached with ssh`,
  reason: 'lost',
  next: `Try: ${login}`,
})

/** Messages of OpenSSH 8 to 10, the most specific first: a failed forward of a jump host also closes the connection. */
const PATTERNS: readonly (readonly [RegExp, Describe])[] = [
  [
    /bad configuration option: knownhostscommand/i,
    (name) => ({
      what: `The ssh of this machine cannot check the hostKey of ${name}`,
      reason: 'settings',
      next: 'It is older than OpenSSH 8.5. Install a newer one, or add the key to known_hosts instead.',
    }),
  ],
  [
    /bad configuration option|bad owner or permissions|terminating, \d+ bad|can't open user config/i,
    (name, _from, login) => ({
      what: `ssh rejects its configuration for ${name}`,
      reason: 'settings',
      next: `Try: ${login}`,
    }),
  ],
  [
    /exec: .*not found/i,
    (name) => ({
      what: `${name} uses the transport openssh, but this machine has no ssh`,
      reason: 'settings',
      next: "Install openssh-client, or use the transport 'ssh2'.",
    }),
  ],
  [/revoked host key|host key .*revoked/i, FAILURES.keyRevoked],
  [/^shown: /m, FAILURES.keyNotPinned],
  [/host identification has changed|host key for .* has changed/i, FAILURES.keyChanged],
  [
    /host key verification failed|no .* host key is known/i,
    (name, _from, login) => ({ ...FAILURES.keyUnknown(name), next: acceptKey(login) }),
  ],
  [
    /no matching .* found|unable to negotiate/i,
    (name) => ({
      what: `The key exchange with ${name} failed`,
      reason: 'protocol',
      next: 'See the algorithms in ssh_config and in its sshd_config.',
    }),
  ],
  [/too many authentication failures/i, FAILURES.tooManyKeys],
  [
    /permission denied \(/i,
    (name, _from, login) => ({
      what: `${name} rejects the login`,
      reason: 'authentication',
      next: `In a run, ssh does not prompt: it uses keys, certificates, an agent or Kerberos. Try: ${login}`,
    }),
  ],
  [/could not resolve|name or service not known|name resolution/i, FAILURES.address],
  [/administratively prohibited/i, FAILURES.prohibited],
  [/connection refused/i, FAILURES.refused],
  [/no route to host|network is unreachable/i, FAILURES.noRoute],
  [/timed out/i, FAILURES.timeout],
  [/(kex|ssh)_exchange_identification|connection (closed|reset) by|broken pipe/i, FAILURES.dropped],
]

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
