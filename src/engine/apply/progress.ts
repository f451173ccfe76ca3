import { stepInfo } from '../../model/playbook/expand.ts'
import { elapsed } from '../../shell/duration.ts'
import { Secret } from '../../shell/secret.ts'
import type { HostTurn } from '../context.ts'
import type { HostScript } from '../hosts/scripts.ts'
import type { StepState } from '../read/step-state.ts'

/** The progress of a command while it runs. */
export interface Progress {
  readonly hear: (line: string) => void
  readonly last: () => string | undefined
}

/** Emits the progress of a step's commands; a line that begins with "waiting for" becomes an event of its own. */
export function reportProgress({ expanded }: StepState, { emit, play, hostRun }: HostTurn): Progress {
  let last: string | undefined
  return {
    hear: (line) => {
      const text = Secret.redact(line)
      if (text === last) return
      last = text
      const about = { play, host: hostRun.name }
      const awaited = /^waiting for (.+)$/.exec(text)?.[1]
      emit(
        awaited === undefined
          ? { kind: 'progress', ...about, step: stepInfo(expanded), text }
          : { kind: 'waiting', ...about, for: awaited },
      )
    },
    last: () => last,
  }
}

/** Emits an event for each reboot of these scripts, which may take minutes. */
export function announceReboots(scripts: readonly HostScript[], { emit, play, hostRun }: HostTurn): void {
  for (const { on, reboots } of scripts)
    if (reboots !== undefined)
      emit({
        kind: 'waiting',
        play,
        host: hostRun.name,
        for: `${on?.name ?? hostRun.name} to be back from a reboot (${elapsed(reboots)} at most)`,
      })
}
