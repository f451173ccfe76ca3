import type { Command } from '../../model/resource/command.ts'
import { type FakeState, putPath } from '../../model/resource/fake-state.ts'
import { mapRead, type Read, read } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { checkPath } from '../files/check-path.ts'
import { type AbsolutePath, entryAt } from '../files/stat.ts'

export type CommandOptions = StepOptions & Omit<Command, 'script' | 'on'> & Guard

/** How to know that a command was run already: it is asked for in every run, so it must be cheap and change nothing. */
type Guard =
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
 * @throws TypeError for `creates` with a path that cannot be, or with a pattern
 * @example command('build the index', sh`app reindex`, { creates: '/srv/app/index' })
 */
export function command(
  label: string,
  script: Shell,
  { unless, creates, notify, tags = [], ...how }: CommandOptions,
): Step {
  if (creates !== undefined) checkPath(`command ${label}: creates`, creates, { root: true })
  if (creates !== undefined && /[*?]/.test(creates))
    throw new TypeError(
      `command ${label}: creates is one path, and patterns are not expanded: give unless: sh\`ls ${creates}\``,
    )
  const done: DoneCheck = unless
    ? statusCheck(silenced(unless), how.as)
    : {
        read: mapRead(entryAt({ path: creates ?? '/' }), (entry) => entry !== undefined),
        sketch: (host) => putPath(host, creates ?? '/', MADE),
      }
  return commandStep({ label, command: { script, ...how }, done }, { tags, ...(notify && { notify }) })
}

interface DoneCheck {
  readonly read: Read<boolean>
  /** Makes it so on a fake host. */
  readonly sketch: (host: FakeState) => void
}

function statusCheck(question: Shell, as: string | undefined): DoneCheck {
  return {
    read: read(question, ({ code }) => code === 0, as === undefined ? {} : { as }),
    sketch: ({ holds }) => holds(question.text),
  }
}

const MADE = { type: 'file', owner: 'root', group: 'root', mode: '0644', content: Buffer.alloc(0) } as const

function silenced(unless: Shell): Shell {
  return sh`{ ${unless}
} >/dev/null 2>&1`
}

interface CommandParams {
  readonly label: string
  readonly command: Command
  readonly done: DoneCheck
}

const commandStep = resource<CommandParams, boolean>('command', {
  id: ({ label }) => label,
  read: ({ done }) => done.read,
  diff: (_params, done) => (done ? undefined : { action: 'run', fields: [] }),
  apply: ({ command }) => [command],
  simulate: ({ done }, host) => done.sketch(host),
})
