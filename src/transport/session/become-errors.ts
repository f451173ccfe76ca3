import { Problem } from '../../model/problem.ts'
import { BecomeFailed } from '../errors.ts'
import type { Exit } from '../transport.ts'
import type { Become } from './become.ts'
import { CUT } from './opening.ts'

export interface BecomeErrorParts {
  readonly host: string
  readonly become: Become
  /** What the way up wrote to stderr. */
  readonly said: string
  readonly ending?: Exit
}

/** Why there is no shell, out of what the host said instead. */
export function becomeError({ host, become, said, ending }: BecomeErrorParts): Problem {
  const { method } = become
  const details = evidence(said)
  const login = LOGIN.find(({ sign }) => sign.test(said))
  if (login) return new BecomeFailed(login.what(method, host), { details, next: login.next(become) })
  if (method === 'none')
    return new Problem(`${host} gave us no shell${ended(ending)}`, { details, next: NO_SHELL })
  const known = KNOWN.find(({ sign }) => sign.test(said))
  if (known) return new BecomeFailed(known.what(method, host), { details, next: known.next(become) })
  return new Problem(`${method} on ${host} gave us no shell${ended(ending)}`, {
    details,
    next: `Log in by hand, and see what ${method} says there`,
  })
}

export function passwordRejected(host: string, { method }: Become): Problem {
  return new BecomeFailed(`${method} rejected the password on ${host}`, {
    next: 'Give another with `--ask-become-password`, or correct `become.password` in the inventory',
  })
}

interface Known {
  readonly sign: RegExp
  readonly what: (method: string, host: string) => string
  readonly next: (become: Become) => string
}

/** What goes wrong before any method. */
const LOGIN: readonly Known[] = [
  {
    sign: /(password|account).*\bexpired/i,
    what: (_method, host) => `the password or the account of the login user has expired on ${host}`,
    next: () => 'Log in by hand and set a new password, or see `chage --list USER` on the host',
  },
  {
    sign: new RegExp(`${CUT}|[Ss]yntax error`),
    what: (_method, host) => `the shell on ${host} did not get the whole text that it was sent`,
    next: () => 'A program of the login reads standard input: see ~/.bashrc and the files that it reads',
  },
]

/** What sudo 1.8 to 1.9, sudo-rs, doas and su say, in English; the more telling ones first. */
const KNOWN: readonly Known[] = [
  {
    sign: /must have a tty/,
    what: (method, host) => `${method} on ${host} wants a terminal (requiretty)`,
    next: () => 'Write `Defaults !requiretty` into its sudoers, at least for this user',
  },
  {
    sign: /incorrect password|try again|[Aa]uthentication fail|[Aa]uthorization failed|maximum \d+ incorrect/,
    what: (method, host) => `${method} rejected the password on ${host}`,
    next: () => 'Give another with `--ask-become-password`, or correct `become.password` in the inventory',
  },
  {
    sign: /password is required|auth\w+ (is )?required|no askpass|no tty present|a tty is required/i,
    what: (method, host) => `${method} on ${host} asks for a password`,
    next: ({ method }) =>
      method === 'doas'
        ? 'Write `permit nopass` into its doas.conf: doas takes a password from a terminal only'
        : "Give one with `--ask-become-password` or `become: { password: secret.env('…') }` in the inventory" +
          (method === 'sudo'
            ? ', or allow all commands without (NOPASSWD: ALL) in its sudoers; NOPASSWD for some commands is not enough'
            : ''),
  },
  {
    sign: /not in the sudoers|not allowed to|may not run|Operation not permitted|can't do that|[Pp]ermission denied/,
    what: (method, host) => `the login user may not use ${method} on ${host}`,
    next: ({ method }) => `Allow it (${FILES[method] ?? ''}), or log in as another user`,
  },
  {
    sign: /not found|No such file/,
    what: (method, host) => `there is no ${method} on ${host}`,
    next: () =>
      "Install it, take another way (`become: { method: 'sudo' | 'su' | 'doas' }`), or log in as root",
  },
]

const FILES: Readonly<Record<string, string>> = { sudo: 'sudoers', doas: 'doas.conf', su: 'pam_wheel' }

const NO_SHELL = 'Log in by hand: the account may be locked, or its shell is not a POSIX shell'

function ended(ending: Exit | undefined): string {
  if (ending?.lost !== undefined) return `: ${ending.lost}`
  if (ending?.signal !== undefined) return `: it was killed by ${ending.signal}`
  return ending?.code === undefined ? '' : `: it ended with ${ending.code}`
}

/** The last lines, without our own marks. */
function evidence(said: string): readonly string[] {
  const lines = said.split('\n').map((line) => line.replace(/\b(up|password)-[0-9a-f]{24}/g, '').trim())
  return lines.filter((line) => line !== '').slice(-5)
}
