import { type Command, scriptOf } from '../model/command.ts'
import type { Diff } from '../model/difference.ts'
import type { RunEvent, StepInfo } from '../model/event.ts'
import { Problem } from '../model/problem.ts'
import type { PlacedStep } from '../model/steps.ts'
import { Secret } from '../shell/secret.ts'
import { elapsed, milliseconds } from '../text/duration.ts'
import type { Member } from './member.ts'
import type { RoutedScript } from './routed.ts'

/** Whether a person wants this step done on this host. */
export type Confirm = (host: string, step: StepInfo, difference: Diff) => Promise<boolean>

/** A host's turn in a play. */
export interface Turn {
  readonly play: string
  readonly member: Member
  readonly emit: (event: RunEvent) => void
  /** Whether a person wants to see the texts that change. */
  readonly diff: boolean
  readonly stop: AbortSignal
  /** Asks a person before each step that would change something. @default nobody is asked */
  readonly confirm?: Confirm
  /** To be called before anything is changed, each time: opens the bracket around the host, when that was not done yet. */
  readonly begin: () => Promise<void>
}

export function stepInfo({ step: { kind, name, source }, roles }: PlacedStep): StepInfo {
  return { kind, name, roles, source }
}

export function asScript(command: Command): RoutedScript {
  const { input, as, on, confirm, reboots, timeout = '10m', inline = false } = command
  return {
    script: scriptOf(command),
    mode: inline ? 'inline' : 'isolated',
    timeout: milliseconds(timeout),
    ...(input && { input: input instanceof Secret ? Buffer.from(input.reveal()) : input }),
    ...(as !== undefined && { as }),
    ...(on && { on }),
    ...(reboots !== undefined && { reboots: milliseconds(reboots) }),
    ...(confirm && { confirm }),
  }
}

export function problemOf(error: unknown, host: string): Problem {
  if (error instanceof Problem) return error
  return new Problem(`${host}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
}

/** Tells of reboots that are about to be: they may take minutes. */
export function announce(scripts: readonly RoutedScript[], { emit, play, member }: Turn): void {
  for (const { on, reboots } of scripts)
    if (reboots !== undefined)
      emit({
        kind: 'waiting',
        play,
        host: member.name,
        for: `${on?.name ?? member.name} to be back from a reboot (${elapsed(reboots)} at most)`,
      })
}
