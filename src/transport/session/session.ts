import type { Become as InventoryBecome } from '../../model/inventory/host.ts'
import type { Streamed } from '../../model/resource/command.ts'
import type { Shell } from '../../shell/sh.ts'

/** The method by which the login user becomes root. A password is sent only when the host asks for it. */
export type Become = InventoryBecome & Required<Pick<InventoryBecome, 'method'>>

/** One script for the session's shell. */
export interface Script {
  readonly script: Shell
  /**
   * `inline`: a script of ours, run in a subshell of the session (0.3 ms).
   * `isolated`: any command, run in its own process group and session, so that nothing it does or leaves behind affects later scripts
   * (5 ms).
   * `shared`: a script of ours that does not change the shell: no `exit`, `cd`, `exec`, `set -e` or trap. Adjacent ones run in one
   * subshell. @default 'inline'
   */
  readonly mode?: 'inline' | 'isolated' | 'shared'
  /**
   * Bytes for its standard input, else it reads from /dev/null. More than 64 KiB cost a round trip of their own. A script whose input is
   * cut off by a lost connection is killed before it sees the end of its input. `onProgress` also reports the upload of a streamed input.
   */
  readonly input?: Uint8Array | Streamed
  /** The user that runs it. Isolated scripts only, and only in a session of root. @default the session's user */
  readonly as?: string
  /** Milliseconds from its start after which it is killed with all its processes. @default none */
  readonly timeout?: number
  /** Receives each line of its command `say WORDS…` while it runs. Isolated scripts only; without this there is no such command. */
  readonly onProgress?: (line: string) => void
  /** Its failure does not stop a trip with `stopAtFailure`: it is only a question. @default false */
  readonly mayFail?: boolean
  /** Called when the host starts it. Only for scripts with a timeout, whose start the host reports. */
  readonly onStart?: () => void
  /** Called with its result as soon as it is known, while the trip goes on. */
  readonly onDone?: (result: Result) => void
}

export interface Result {
  /** The exit status; 137 if it was killed, also for its timeout; -1 if it was skipped. */
  readonly code: number
  readonly stdout: Buffer
  readonly stderr: Buffer
  /** True if it did not run, because an earlier script of the trip failed or the trip was stopped. */
  readonly skipped: boolean
  readonly timedOut: boolean
  /** The exceeded limit in milliseconds, if it timed out. */
  readonly limit?: number
}

export interface TripOptions {
  /** The host skips the scripts after one that failed. @default false */
  readonly stopAtFailure?: boolean
  /** On abort, the running script finishes and the host skips those after it. @default never */
  readonly stop?: AbortSignal
}

/** The host's report about its shell. */
export interface ShellInfo {
  /** The process of the session's shell. */
  readonly pid: number
  /** Warnings for the user, such as that sudo logs its input to disk. */
  readonly warnings: readonly string[]
}

/** A privileged shell on a host, open for the whole run. */
export interface Session {
  /**
   * Resolves when the host has reported that the shell is open and locked. There is no need to await it: the first trip is sent with the
   * opening. If that fails, the trip does not run and rejects with the same Problem.
   */
  readonly opened: Promise<ShellInfo>
  /**
   * Sends all scripts at once and returns their results in order, in one round trip. A failed script is a result. Overlapping calls run
   * one after another.
   *
   * @throws Problem if the shell could not be opened, ConnectionLost if it or the connection ended
   */
  run(scripts: readonly Script[], options?: TripOptions): Promise<readonly Result[]>
  /** Round trips so far, without those of the login and of a password prompt. */
  readonly trips: number
  readonly traffic: { readonly sent: number; readonly received: number }
  /** Waits for the running trip, then ends the shell, which releases the lock. The connection stays open. Never rejects. */
  close(): Promise<void>
}
