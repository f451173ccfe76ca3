import type { Become, Ssh } from '../model/inventory/host.ts'
import type { FakeFile } from './fake-host.ts'

/** A host that is reached over SSH, such as `lab.host('web1')`. */
export interface RealHost {
  readonly name: string
  readonly address: string
  readonly ssh?: Ssh
  readonly become?: Become
}

/** The result of `converge` on a real host. */
export interface ConvergeResult {
  /** The changes in order, as `--check` shows them: `create file /etc/motd`. Empty if there was nothing to change. */
  readonly plan: readonly string[]
  /** The names of the handlers that ran, in order: `reload nginx`. */
  readonly handlers: readonly string[]
}

/** The result of `converge` on a fake host. */
export interface FakeConvergeResult extends ConvergeResult {
  /** The files of the host afterwards, by path. */
  readonly files: Readonly<Record<string, FakeFile>>
  /** The commands for a real host, in order. None was run. */
  readonly commands: readonly RecordedCommand[]
}

/** A command that a real host would run. */
export interface RecordedCommand {
  /** The step or handler: `command build the index`, `handler reload nginx`. */
  readonly of: string
  /** The shell script, with secrets masked. */
  readonly script: string
  /** The user. */
  readonly as: string
}
