import { type Duration, milliseconds } from '../../shell/duration.ts'
import type { Secret } from '../../shell/secret.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import type { Host } from '../inventory/host.ts'

/** Something to do on a host: a script and how to run it. */
export interface Command {
  readonly script: Shell
  /** Bytes for its standard input; a Secret is asked for only when the command is run. */
  readonly input?: Uint8Array | Streamed | Secret
  /** The user it runs as. @default root */
  readonly as?: string
  /** When it is given up and killed with all that it started. @default 10 minutes */
  readonly timeout?: Duration
  /** The exit status that says: it failed, and all is as it was before. @default none */
  readonly rolledBackStatus?: number
  /** Takes back what it has begun when something else has ended it: a timeout, a kill. Ends with `undone` as it does. @default none */
  readonly rollback?: Shell
  /**
   * Our own text that starts nothing that lives on may run inside the session's shell, which is faster.
   * @default false
   */
  readonly inline?: boolean
  /** Tries again when it fails. The timeout is for all tries together; an input cannot be given a second time. @default once */
  readonly retries?: { readonly times: number; readonly every?: Duration }
  /** What must hold after it, or it counts as failed. @default exit status 0 is enough; with it, 3 more tries 5 s apart */
  readonly until?: Shell
  /** Whether its script may tell how far it is: `say 12 of 40 MB`. A line that begins with "waiting for" is told as that. @default false */
  readonly reportsProgress?: boolean
  /** Why it failed, in words, from what it wrote to stderr; undefined when that does not tell. */
  readonly explain?: (stderr: string) => Explanation | undefined
  /** Where it runs, when not on the host whose step it belongs to. */
  readonly on?: Host
  /** Somebody has to come to the host anew while it runs: it changes by what way the host is reached. @default nobody comes */
  readonly confirm?: Confirmation
  /**
   * It reboots the host, which may take this long to come back. What follows goes on when it has: with another boot, under the same
   * host key, with all started that starts at boot. Something that ends well without a reboot fails. @default it reboots nothing
   */
  readonly reboots?: Duration
}

/** How a command is told that the host can still be reached: by scripts that run over connections made for this. */
export interface Confirmation {
  /** Ends with status 0 once the command waits. Asked again and again. */
  readonly ready: Shell
  /** Tells it, over a connection that was made after that. */
  readonly confirm: Shell
}

export interface Explanation {
  /** What is wrong, as a part of a sentence. */
  readonly what: string
  /** What to do about it. */
  readonly next: string
}

export type CommandLike = Shell | Command

export function asCommand(like: CommandLike): Command {
  return 'script' in like ? like : { script: like }
}

/** The command's script with its tries in it: they cost no round trips. The last try's words and status are told. */
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

/** Bytes that are too many to hold in memory. */
export interface Streamed {
  /** @throws Problem when they are not to be had, or not what they were any more */
  open(): Promise<OpenStream>
}

export interface OpenStream {
  /** How many bytes there are. */
  readonly size: number
  /** Read as fast as the host takes them; exactly as many as said. */
  readonly pieces: AsyncIterable<Uint8Array>
}
