import type { Shell } from '../shell/sh.ts'
import type { Duration } from '../text/duration.ts'

/** Something to do on a host: a script and how to run it. */
export interface Command {
  readonly script: Shell
  /** Bytes for its standard input. */
  readonly input?: Uint8Array
  /** The user it runs as. @default root */
  readonly as?: string
  /** When it is given up and killed with all that it started. @default 10 minutes */
  readonly timeout?: Duration
  /** The exit status that says: it failed, and all is as it was before. @default none */
  readonly undone?: number
  /**
   * Our own text that starts nothing that lives on may run inside the session's shell, which is faster.
   * @default false
   */
  readonly inline?: boolean
}

export type CommandLike = Shell | Command

export function asCommand(like: CommandLike): Command {
  return 'script' in like ? like : { script: like }
}
