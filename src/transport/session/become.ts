import { randomBytes, randomInt } from 'node:crypto'
import { Problem } from '../../model/problem.ts'
import { quote } from '../../shell/sh.ts'
import type { Clock } from '../clock.ts'
import { BecomeFailed } from '../errors.ts'
import type { Connection, Exit, RemoteProcess } from '../transport.ts'
import { CUT } from './frame.ts'
import type { Become } from './session.ts'

interface ShellRequest {
  /** The host's name, for messages. */
  readonly host: string
  readonly become: Become
  readonly shell: string
  /** Milliseconds to wait for each answer. */
  readonly timeout: number
  readonly clock: Clock
}

/**
 * Starts a shell of root. Without a password it returns before the shell has answered: the shell may still end at once, and
 * {@link becomeError} then gives the reason.
 *
 * @throws Problem if the password is rejected
 */
export async function startShell(connection: Connection, request: ShellRequest): Promise<RemoteProcess> {
  const { become, shell } = request
  if (become.method === 'none') return connection.start(`exec ${shell}`)
  const signs = { up: `up-${nonce()}`, prompt: become.method === 'su' ? 'assword:' : `password-${nonce()}` }
  // Without a terminal, su reads the next line of stdin as the password, so its answer has to be awaited.
  const waits = become.password !== undefined || become.method === 'su'
  const command = waits ? `echo ${signs.up} >&2; exec ${shell}` : undefined
  const process = await connection.start(`exec sh -c ${quote(becomeScript(request, signs.prompt, command))}`)
  if (waits) await sendPassword(process, request, signs)
  return process
}

interface Signs {
  /** Written by the wanted shell. */
  readonly up: string
  readonly prompt: string
}

/** Becomes root, unless the login user is root already. In English, for the error messages. */
function becomeScript({ become, shell }: ShellRequest, prompt: string, command: string | undefined): string {
  const { method, password } = become
  const program = command === undefined ? shell : `sh -c ${quote(command)}`
  const ways = {
    none: shell,
    sudo: `sudo ${password ? `-S -k -p ${prompt}` : '-n'} -H -u root ${program}`,
    doas: `doas -n -u root ${program}`,
    su: `su -s /bin/sh -c ${quote(command ?? shell)} root`,
  }
  return `LC_ALL=C; export LC_ALL; if ${IS_ROOT}; then ${command ?? `exec ${shell}`}; fi; exec ${ways[method]}`
}

/** True if the effective user is root: from /proc, which needs no process, if it is mounted. */
const IS_ROOT = `{ while read -r _t _ _u _; do case $_t in Uid:) _v=$_u; break; esac; done </proc/self/status
[ "\${_v:-$(id -u)}" = 0 ]; } 2>/dev/null`

/** Answers the password prompt once, and waits until the shell is there. */
function sendPassword(process: RemoteProcess, request: ShellRequest, { up, prompt }: Signs): Promise<void> {
  const { host, become, timeout, clock } = request
  return new Promise((resolve, reject) => {
    let stderr = ''
    let sent = false
    const settle = (problem?: Problem) => {
      limit.end()
      // Paused, so that the next listener gets the following data.
      process.stderr.pause().off('data', listen)
      if (!problem) return resolve()
      process.destroy()
      reject(problem)
    }
    const listen = (chunk: Buffer) => {
      stderr += chunk.toString('latin1')
      if (stderr.includes(up)) return settle()
      const prompts = stderr.split(prompt).length - 1
      if (prompts > 1) return settle(passwordRejected(host, become))
      if (prompts === 0 || sent) return
      sent = true
      const password = become.password?.reveal()
      if (password === undefined) return settle(becomeError({ host, become, stderr: 'a password is required' }))
      if (/[\n\0]/.test(password))
        return settle(
          new Problem(`The ${become.method} password for ${host} contains a line break`, { next: ONE_LINE }),
        )
      process.stdin.write(`${password}\n`)
    }
    const limit = clock.limit({
      ms: timeout,
      progress: () => stderr.length,
      expire: () => settle(becomeError({ host, become, stderr: `${stderr}\nno answer in ${timeout / 1000} s` })),
    })
    process.stderr.on('data', listen)
    process.stdin.on('error', () => {})
    void process.exit.then((exit) => settle(becomeError({ host, become, stderr, exit })))
  })
}

const ONE_LINE =
  'A prompt reads one line only: give the password in one line with `--ask-become-password`, or correct `become.password` in the inventory'

function nonce(): string {
  return randomBytes(12).toString('hex')
}

/**
 * A question that only a POSIX shell of root answers: the login shell may start any program instead of ours, which then reads our text as
 * another user, or echoes it.
 */
export interface Challenge {
  /** Shell text that puts the answer into `$_y`: the sum, or `not NAME` of the current user. Starts a process only if it is not root. */
  readonly text: string
  /** The right answer. The text does not contain it. */
  readonly answer: string
  /** True if this output is the text itself and not an answer. */
  isEcho(output: string): boolean
}

export function challenge({ method }: Become): Challenge {
  const [a, b] = [randomInt(1e8, 1e9), randomInt(1e8, 1e9)]
  const sum = `$((${a} + ${b}))`
  return {
    text: `_y=${sum}; ${method === 'none' ? ':' : NOT_ROOT}`,
    answer: String(a + b),
    isEcho: (output) => output.includes(sum),
  }
}

const NOT_ROOT = `while read -r _t _l _n _o; do [ "$_t" = Uid: ] && break; done 2>/dev/null </proc/$$/status
[ "$_t" = Uid: ] || _n=$(id -u); [ "$_n" = 0 ] || _y="not $(id -un)"`

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
