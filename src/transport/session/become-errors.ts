import { Problem } from '../../model/problem.ts'
import { BecomeFailed } from '../errors.ts'
import type { Exit } from '../transport.ts'
import { CUT } from './frame.ts'
import type { Become } from './session.ts'

interface BecomeErrorParts {
  readonly host: string
  readonly become: Become
  /** The output of the login and of the become method. */
  readonly stderr: string
  readonly exit?: Exit
}

/** The error for a shell that did not start, from the host's output. */
export function becomeError({ host, become, stderr, exit }: BecomeErrorParts): Problem {
  const { method } = become
  const details = evidence(stderr)
  const login = LOGIN.find(({ sign }) => sign.test(stderr))
  if (login) return new BecomeFailed(login.what(method, host), { details, next: login.next(method) })
  if (method === 'none') return new Problem(`${host} gave no shell${exitText(exit)}`, { details, next: NO_SHELL })
  const known = KNOWN.find(({ sign }) => sign.test(stderr))
  if (known) return new BecomeFailed(known.what(method, host), { details, next: known.next(method) })
  return new Problem(`${method} on ${host} gave no shell${exitText(exit)}`, {
    details,
    next: `Log in manually and run ${method} to see its error`,
  })
}

export function passwordRejected(host: string, { method }: Become): BecomeFailed {
  return new BecomeFailed(`${method} rejected the password on ${host}`, { next: OTHER_PASSWORD })
}

/** The error for a wrong answer to the challenge. */
export function wrongShell(host: string, { method }: Become, answer: string): BecomeFailed {
  const [, name] = /^not (.*)$/.exec(answer) ?? []
  const subject = method === 'none' ? host : `${method} on ${host}`
  const what =
    name === undefined
      ? `${subject} started no POSIX shell: it echoed its input`
      : `${subject} started a shell of ${name}, not of root`
  return new BecomeFailed(what, { next: LOGIN_FILES })
}

const LOGIN_FILES =
  'The login shell of the user starts another program first: see ~/.bashrc and the files that it reads'

interface Known {
  readonly sign: RegExp
  readonly what: (method: string, host: string) => string
  readonly next: (method: string) => string
}

const OTHER_PASSWORD = 'Give another with `--ask-become-password`, or correct `become.password` in the inventory'

/** Errors of the login, before any method runs. */
const LOGIN: readonly Known[] = [
  {
    sign: /(password|account).*\bexpired/i,
    what: (_method, host) => `The password or the account of the login user has expired on ${host}`,
    next: () => 'Log in manually and set a new password, or see `chage --list USER` on the host',
  },
  {
    sign: new RegExp(`${CUT}|[Ss]yntax error`),
    what: (_method, host) => `The shell on ${host} did not receive the whole script`,
    next: () => 'A program of the login reads standard input: see ~/.bashrc and the files that it reads',
  },
]

/** English messages of sudo 1.8 to 1.9, sudo-rs, doas and su; the most specific first. */
const KNOWN: readonly Known[] = [
  {
    sign: /must have a tty/,
    what: (method, host) => `${method} on ${host} requires a terminal (requiretty)`,
    next: () => 'Add `Defaults !requiretty` to its sudoers, at least for this user',
  },
  {
    sign: /incorrect password|try again|[Aa]uthentication fail|[Aa]uthorization failed|maximum \d+ incorrect/,
    what: (method, host) => `${method} rejected the password on ${host}`,
    next: () => OTHER_PASSWORD,
  },
  {
    sign: /password is required|auth\w+ (is )?required|no askpass|no tty present|a tty is required/i,
    what: (method, host) => `${method} on ${host} requires a password`,
    next: (method) =>
      method === 'doas'
        ? 'Add `permit nopass` to its doas.conf: doas reads a password from a terminal only'
        : "Give one with `--ask-become-password` or `become: { password: secret.env('…') }` in the inventory" +
          (method === 'sudo'
            ? ', or allow all commands without one (NOPASSWD: ALL) in its sudoers; NOPASSWD for some commands is not enough'
            : ''),
  },
  {
    sign: /not in the sudoers|not allowed to|may not run|Operation not permitted|can't do that|[Pp]ermission denied/,
    what: (method, host) => `The login user may not use ${method} on ${host}`,
    next: (method) => `Allow it (${FILES[method] ?? ''}), or log in as another user`,
  },
  {
    sign: /not found|No such file/,
    what: (method, host) => `There is no ${method} on ${host}`,
    next: () => "Install it, set another method (`become: { method: 'sudo' | 'su' | 'doas' }`), or log in as root",
  },
]

const FILES: Readonly<Record<string, string>> = { sudo: 'sudoers', doas: 'doas.conf', su: 'pam_wheel' }

const NO_SHELL = 'Log in manually: the account may be locked, or its shell is not a POSIX shell'

function exitText(exit: Exit | undefined): string {
  if (exit?.lost !== undefined) return `: ${exit.lost}`
  if (exit?.signal !== undefined) return `: killed by ${exit.signal}`
  return exit?.code === undefined ? '' : `: exit status ${exit.code}`
}

/** The last lines, without our own marks. */
function evidence(stderr: string): readonly string[] {
  const lines = stderr.split('\n').map((line) => line.replace(/\b(up|password)-[0-9a-f]{24}/g, '').trim())
  return lines.filter((line) => line !== '').slice(-5)
}
