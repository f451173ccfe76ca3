import { type Duration, milliseconds } from '../../shell/duration.ts'
import type { Secret } from '../../shell/secret.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import type { Host } from '../inventory/host.ts'

/** A script for a host, with options. */
export interface Command {
  readonly script: Shell
  /** Its standard input; a Secret is revealed only when the command runs. */
  readonly input?: Uint8Array | Streamed | Secret
  /** The user that runs it. @default root */
  readonly as?: string
  /** The time limit, after which it is killed with all processes that it started. @default 10 minutes */
  readonly timeout?: Duration
  /** The exit status that means: it failed, and everything is as before. @default none */
  readonly rolledBackStatus?: number
  /** Rolls back its changes after a timeout or a kill. Ends with `rolledBackStatus` if that succeeded. @default none */
  readonly rollback?: Shell
  /**
   * True to run it inside the session's shell, which is faster. Only for built-in scripts that leave no process running.
   * @default false
   */
  readonly inline?: boolean
  /** Retries it after a failure. The timeout applies to all tries together. Not possible with an input. @default no retries */
  readonly retries?: { readonly times: number; readonly every?: Duration }
  /**
   * A condition that must be true after it; otherwise it has failed. With it, `retries` defaults to 3 more tries, 5 s apart.
   * @default none
   */
  readonly until?: Shell
  /**
   * True if its script reports progress: `say 12 of 40 MB`. A line that begins with "waiting for" becomes an event of its own.
   * @default false
   */
  readonly reportsProgress?: boolean
  /** Returns the cause of a failure from its stderr; undefined if that does not show it. */
  readonly explain?: (stderr: string) => Explanation | undefined
  /** The host that runs it. @default the host of its step */
  readonly on?: Host
  /** Set if it may cut off SSH: a new connection must confirm while it runs that the host is reachable. @default not checked */
  readonly confirm?: Confirmation
  /**
   * Set if it reboots the host: the maximum time until the host is back. The next script starts when the host has another boot id, the same
   * host key, and has started all units of the boot. A command that succeeds without a reboot has failed.
   * @default no reboot
   */
  readonly reboots?: Duration
}

/** Scripts that confirm to a command, over new connections, that the host is still reachable. */
export interface Confirmation {
  /** Ends with status 0 when the command waits for the confirmation. It is repeated until then. */
  readonly ready: Shell
  /** Confirms it to the command, over a connection that was opened after that. */
  readonly confirm: Shell
}

export interface Explanation {
  /** The cause, as a part of a sentence. */
  readonly what: string
  /** The next step for the operator. */
  readonly next: string
}

export type CommandLike = Shell | Command

export function asCommand(like: CommandLike): Command {
  return 'script' in like ? like : { script: like }
}

/** The script of a command with its retries, which take no round trips. It ends with the output and the status of the last try. */
export function scriptOf({ script, input, until, retries = until && STUBBORN }: Command): Shell {
  if (!retries) return script
  if (input) throw new TypeError('a command with an input cannot be tried again: its input is gone')
  const { times, every = '5s' } = retries
  if (!Number.isInteger(times) || times < 0)
    throw new TypeError(`retries.times should be a whole number ≥ 0, got ${times}`)
  const once = until
    ? sh`( ${script}
) && ( ${until}
)`
    : sh`( ${script}
)`
  return sh`
provision_tries=0
until ${once}; do
  provision_status=$?
  [ "$provision_tries" -lt ${times} ] || exit "$provision_status"
  provision_tries=$((provision_tries + 1))
  sleep ${(milliseconds(every) / 1000).toFixed(3)}
done`
}

const STUBBORN = { times: 3 } as const

/** A content that is too large for memory. */
export interface Streamed {
  /** @throws Problem if it is not available, or has changed since */
  open(): Promise<OpenStream>
}

export interface OpenStream {
  /** The number of bytes. */
  readonly size: number
  /** Read as fast as the host accepts them; exactly `size` bytes in total. */
  readonly pieces: AsyncIterable<Uint8Array>
}
