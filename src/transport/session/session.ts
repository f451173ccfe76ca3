import type { Streamed } from '../../model/resource/command.ts'
import type { Shell } from '../../shell/sh.ts'

/** One script for the session's shell. */
export interface Script {
  readonly script: Shell
  /**
   * `inline`: our own text, run in a subshell of the session (0.3 ms).
   * `isolated`: anybody's command, in a process group and session of its own, so that nothing it does or leaves behind can
   * disturb later scripts (5 ms).
   * `shared`: our own text that leaves the shell as it found it: no `exit`, `cd`, `exec`, `set -e` or trap. Those that stand side by
   * side run one after another in one subshell. @default 'inline'
   */
  readonly mode?: 'inline' | 'isolated' | 'shared'
  /**
   * Bytes for its standard input; without them it reads from /dev/null. More than 64 KiB cost a round trip of their own. A
   * script whose input was cut off by a lost connection is killed before it could see the end of it. Who hears the script hears how
   * much of a streamed input is on its way.
   */
  readonly input?: Uint8Array | Streamed
  /** The user it runs as, when not the session's. Isolated scripts only, and only where the session is root's. */
  readonly as?: string
  /** Milliseconds from its start after which it is killed with all that it started. @default none */
  readonly timeout?: number
  /** Told each line of its command `say WORDS…` while it runs. Isolated scripts only; without this they have no such command. */
  readonly hear?: (line: string) => void
  /** In a trip that stops at a failure, this one's stops nothing: it only asks. @default false */
  readonly mayFail?: boolean
  /** Called when the host begins with it; only for a script with a timeout, which the host announces. */
  readonly started?: () => void
  /** Called with its result as soon as it is there, while the trip goes on. */
  readonly done?: (result: Result) => void
}

export interface Result {
  /** The exit status; 137 when it was killed, for its timeout too; -1 when it was skipped. */
  readonly code: number
  readonly stdout: Buffer
  readonly stderr: Buffer
  /** Not run, since an earlier script of the same trip failed, or the trip was stopped. */
  readonly skipped: boolean
  readonly timedOut: boolean
  /** The limit that it was killed for, in milliseconds. */
  readonly limit?: number
}

export interface TripOptions {
  /** Scripts after one that failed are skipped, on the host itself. @default false */
  readonly stopAtFailure?: boolean
  /** When it aborts, the script that runs comes to its end, and those after it are skipped, on the host itself. @default none */
  readonly stop?: AbortSignal
}

/** What the host said when its shell was there. */
export interface ShellInfo {
  /** The process that runs our shell. */
  readonly pid: number
  /** What the user should know about this host: that its sudo writes our input to its disk. */
  readonly warnings: readonly string[]
}

/** A privileged shell on a host that lives as long as the run. */
export interface Session {
  /**
   * Settles when the host has said that the shell is there and the lock is ours. There is no need to wait for it: the first trip
   * travels with the opening, is not run when that fails, and then rejects with the same Problem.
   */
  readonly opened: Promise<ShellInfo>
  /**
   * Sends all scripts at once and gives their results in order: one round trip, however many they are. A failed script is a
   * result. Calls that overlap go one after another.
   *
   * @throws Problem when the shell could not be opened, Lost when it or the connection is gone
   */
  run(scripts: readonly Script[], options?: TripOptions): Promise<readonly Result[]>
  /** Round trips so far; logging in is not counted, nor what a password takes. */
  readonly trips: number
  readonly traffic: { readonly sent: number; readonly received: number }
  /** Lets what runs now come to its end, then ends the shell, which frees the lock. The link stays open. Never rejects. */
  close(): Promise<void>
}
