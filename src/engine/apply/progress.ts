import { stepInfo } from '../../model/playbook/expand.ts'
import { elapsed } from '../../shell/duration.ts'
import { Secret } from '../../shell/secret.ts'
import type { HostTurn } from '../context.ts'
import type { HostScript } from '../hosts/scripts.ts'
import type { StepState } from '../read/refresh.ts'

/** What a command says while it runs. */
export interface Progress {
  readonly hear: (line: string) => void
  /** What it said last. */
  readonly last: () => string | undefined
}

/** Tells what a step's commands say as events: a line that begins with "waiting for" as that. */
export function reportProgress({ placed }: StepState, { emit, play, member }: HostTurn): Progress {
  let last: string | undefined
  return {
    hear: (line) => {
      const text = Secret.redact(line)
      if (text === last) return
      last = text
      const about = { play, host: member.name }
      const awaited = /^waiting for (.+)$/.exec(text)?.[1]
      emit(
        awaited === undefined
          ? { kind: 'progress', ...about, step: stepInfo(placed), text }
          : { kind: 'waiting', ...about, for: awaited },
      )
    },
    last: () => last,
  }
}

/** Tells of reboots that are about to be: they may take minutes. */
export function announceReboots(scripts: readonly HostScript[], { emit, play, member }: HostTurn): void {
  for (const { on, reboots } of scripts)
    if (reboots !== undefined)
      emit({
        kind: 'waiting',
        play,
        host: member.name,
        for: `${on?.name ?? member.name} to be back from a reboot (${elapsed(reboots)} at most)`,
      })
}
