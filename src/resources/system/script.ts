import type { Step } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'
import type { LocalFile } from '../files/content.ts'
import { type CommandOptions, command } from './command.ts'

/** The options of `script`, such as `creates`. */
export type ScriptOptions = CommandOptions & {
  /** Its arguments. Process lists show them. @default none */
  readonly args?: readonly (string | number)[]
}

/**
 * A script of this machine that runs on the host unless it was run already. Its first line names its interpreter, which the host must have.
 *
 * @throws TypeError as `command`
 * @example
 * script('set up the database', localFile(import.meta, 'files/set-up.py'), { args: ['--small'], creates: '/srv/app/ready' })
 */
export function script(label: string, file: LocalFile, { args = [], ...options }: ScriptOptions): Step {
  // The copy of the script is removed when it ends, also if it is killed.
  const run = sh`at=$(mktemp) && trap 'rm -f "$at"' EXIT && cat >"$at" && chmod 700 "$at" && "$at" ${args}`
  return command(label, run, { ...options, input: file })
}
