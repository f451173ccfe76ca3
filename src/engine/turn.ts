import type { Command } from '../model/command.ts'
import type { RunEvent, StepInfo } from '../model/event.ts'
import { Problem } from '../model/problem.ts'
import type { PlacedStep } from '../model/steps.ts'
import { milliseconds } from '../text/duration.ts'
import type { Script } from '../transport/session.ts'
import type { Member } from './member.ts'

/** A host's turn in a play. */
export interface Turn {
  readonly play: string
  readonly member: Member
  readonly emit: (event: RunEvent) => void
  /** Whether a person wants to see the texts that change. */
  readonly diff: boolean
  readonly stop: AbortSignal
}

export function stepInfo({ step: { kind, name, source }, roles }: PlacedStep): StepInfo {
  return { kind, name, roles, source }
}

export function asScript({ script, input, as, timeout = '10m', inline = false }: Command): Script {
  return {
    script,
    mode: inline ? 'inline' : 'isolated',
    timeout: milliseconds(timeout),
    ...(input && { input }),
    ...(as !== undefined && { as }),
  }
}

export function problemOf(error: unknown, host: string): Problem {
  if (error instanceof Problem) return error
  return new Problem(`${host}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
}
