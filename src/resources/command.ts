import type { Command } from '../model/command.ts'
import { mapRead, type Read, read } from '../model/read.ts'
import { resource, type Step, type StepOptions } from '../model/step.ts'
import { type Shell, sh } from '../shell/sh.ts'
import { type AbsolutePath, entryAt } from './paths.ts'

export type CommandOptions = StepOptions & Omit<Command, 'script' | 'on'> & Done

/** How to know that a command was run already: it is asked for in every run, so it must be cheap and change nothing. */
type Done =
  | {
      /** Ends with status 0 when there is nothing to do. Asked as the user that the command runs as. */
      readonly unless: Shell
      readonly creates?: never
    }
  | {
      /** There is nothing to do when this path exists. */ readonly creates: AbsolutePath
      readonly unless?: never
    }

/**
 * A command, run when it was not yet. For what no other kind does.
 *
 * @example command('build the index', sh`app reindex`, { creates: '/srv/app/index' })
 */
export function command(
  label: string,
  script: Shell,
  { unless, creates, notify, tags = [], ...how }: CommandOptions,
): Step {
  const asked = unless
    ? answered(unless, how.as)
    : mapRead(entryAt({ path: creates ?? '/' }), (entry) => entry !== undefined)
  return commandStep({ label, command: { script, ...how }, done: asked }, { tags, ...(notify && { notify }) })
}

function answered(unless: Shell, as: string | undefined): Read<boolean> {
  return read(
    sh`{ ${unless}
} >/dev/null 2>&1`,
    ({ code }) => code === 0,
    as === undefined ? {} : { as },
  )
}

interface CommandParams {
  readonly label: string
  readonly command: Command
  readonly done: Read<boolean>
}

const commandStep = resource<CommandParams, boolean>('command', {
  id: ({ label }) => label,
  read: ({ done }) => done,
  diff: (_params, done) => (done ? undefined : { verb: 'run', fields: [] }),
  apply: ({ command }) => [command],
})
