import type { Command } from '../../model/resource/command.ts'
import { type FakeState, putPath } from '../../model/resource/fake-state.ts'
import { mapRead, type Read, read } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { checkPath } from '../arguments.ts'
import { type AbsolutePath, entryAt } from '../files/stat.ts'

export type CommandOptions = StepOptions & Omit<Command, 'script' | 'on'> & Guard

/** Detects that the command was run already. Checked in every run, so it must be cheap and read-only. */
type Guard =
  | {
      /** Skips the command if this exits with status 0. Runs as the same user as the command. */
      readonly unless: Shell
      readonly creates?: never
    }
  | {
      /** Skips the command if this path exists. */
      readonly creates: AbsolutePath
      readonly unless?: never
    }

/**
 * A command that runs unless it was run already. For changes that no other kind makes.
 *
 * @throws TypeError if `creates` is an invalid path or a pattern
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
      `command ${label}: creates is a single path, patterns are not expanded: use unless: sh\`ls ${creates}\``,
    )
  const done: DoneCheck = unless
    ? statusCheck(silenced(unless), how.as)
    : {
        read: mapRead(entryAt({ path: creates ?? '/' }), (entry) => entry !== undefined),
        simulate: (host) => putPath(host, creates ?? '/', CREATED),
      }
  return commandStep({ label, command: { script, ...how }, done, creates }, { tags, ...(notify && { notify }) })
}

interface DoneCheck {
  readonly read: Read<boolean>
  /** Makes the check succeed on a fake host. */
  readonly simulate: (host: FakeState) => void
}

function statusCheck(check: Shell, as: string | undefined): DoneCheck {
  return {
    read: read(check, ({ code }) => code === 0, as === undefined ? {} : { as }),
    simulate: ({ holds }) => holds(check.text),
  }
}

const CREATED = { type: 'file', owner: 'root', group: 'root', mode: '0644', content: Buffer.alloc(0) } as const

function silenced(unless: Shell): Shell {
  return sh`{ ${unless}
} >/dev/null 2>&1`
}

interface CommandParams {
  readonly label: string
  readonly command: Command
  readonly done: DoneCheck
  readonly creates: string | undefined
}

const commandStep = resource<CommandParams, boolean>('command', {
  id: ({ label }) => label,
  sets: ({ creates }) => (creates === undefined ? [] : [{ type: 'path', name: creates }]),
  read: ({ done }) => done.read,
  diff: (_params, done) => (done ? undefined : { action: 'run', fields: [] }),
  apply: ({ command }) => [command],
  simulate: ({ done }, host) => done.simulate(host),
})
