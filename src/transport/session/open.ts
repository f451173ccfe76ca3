import { randomBytes } from 'node:crypto'
import { Clock } from '../clock.ts'
import { DEFAULTS, type ScriptLimits } from '../timeouts.ts'
import type { Connection } from '../transport.ts'
import { type Become, startShell } from './become.ts'
import { challenge } from './challenge.ts'
import { type Lock, lockScript } from './lock.ts'
import { opening } from './opening.ts'
import type { Session } from './session.ts'
import { ShellSession } from './shell-session.ts'

export interface OpenOptions {
  /** The host's name, for messages. */
  readonly host: string
  /** @default the login user stays who it is */
  readonly become?: Become
  /** Taken with the opening, let go when the session ends, however it ends. @default none, for runs that only look */
  readonly lock?: Lock
  /** The program that reads our text; it must be a POSIX shell. @default 'sh' */
  readonly shell?: string
  /** Milliseconds to wait for the shell, or for the answer to a password. @default 60 seconds */
  readonly timeout?: number
  /** Multiplies the timeouts of scripts; scripts read it as `PROVISION_TIMEOUT_PERCENT`. @default 1 */
  readonly timeoutFactor?: number
  /** Milliseconds; scripts read them as `PROVISION_CONFIRM_SECONDS` and so on. @default the scripts' own */
  readonly limits?: ScriptLimits
  /** Measures the limits. @default a clock of its own */
  readonly clock?: Clock
}

/**
 * Opens a shell on a host. It comes back when the shell was asked for (with a password: when it is there); `opened` of the
 * session tells when the host has answered, or the first trip does.
 *
 * @throws Problem when a password is not accepted
 */
export async function openSession(link: Connection, options: OpenOptions): Promise<Session> {
  const { host, become = { method: 'none' }, lock, shell = 'sh' } = options
  const { timeout = DEFAULTS.shell, timeoutFactor = 1, limits = {}, clock = new Clock() } = options
  const start = () => startShell(link, { host, become, shell, timeout, clock })
  const dialect = { token: randomBytes(12).toString('hex'), shell }
  const asked = challenge(become)
  const { keepaliveInterval } = link
  const checks = [
    ...(become.method === 'sudo' ? [INPUT_LOGGED] : []),
    ...(lock ? [lockScript({ ...lock, ...(keepaliveInterval !== undefined && { keepaliveInterval }) })] : []),
  ]
  return new ShellSession({
    link,
    host,
    become,
    timeout,
    timeoutFactor,
    clock,
    dialect,
    wire: await start(),
    asked,
    opening: opening(dialect, {
      proof: asked.text,
      checks,
      exported: {
        PROVISION_TIMEOUT_PERCENT: Math.max(1, Math.round(100 * timeoutFactor)),
        ...Object.fromEntries(
          Object.entries(limits).map(([name, limit]) => [
            `PROVISION_${name.toUpperCase()}_SECONDS`,
            Math.max(1, Math.ceil(limit / 1000)),
          ]),
        ),
      },
    }),
    another: start,
  })
}

/** A sudo with log_input writes all that we send to the host's disk, secrets too. It is off unless somebody wanted it. */
const INPUT_LOGGED = `[ -z "$SUDO_UID" ] || ! grep -qrsE '(^|[^!a-z_])(log_input|log_stdin|LOG_INPUT)' /etc/sudoers /etc/sudoers.d || _w=logged`
