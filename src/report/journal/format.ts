import type { Admission } from '../../model/admission.ts'
import type { Diff } from '../../model/difference.ts'
import type { EventOf, RunEvent, StepInfo } from '../../model/event.ts'

/** The first line of a journal: which run this is. */
export interface JournalHeader {
  readonly provision: 1
  readonly id: string
  /** When it began, in ISO 8601. */
  readonly at: string
  /** What a person would type to have it again. */
  readonly command: string
  readonly hosts: readonly { readonly name: string; readonly group: string; readonly address: string }[]
}

/** A Problem as it is written down. */
export interface JournalProblem {
  readonly message: string
  readonly where?: string
  readonly details: readonly string[]
  readonly next?: string
}

export interface JournalStep extends Omit<StepInfo, 'source'> {
  readonly source?: string
}

/** A difference without the texts themselves: those are kept as diffs, if at all. */
export type JournalDiff = Pick<Diff, 'action' | 'fields'> & {
  readonly parts?: readonly { readonly name: string; readonly difference: JournalDiff }[]
}

/** A thing that later lines name by its number, since many of them do. */
export type Definition =
  | { readonly kind: 'a step'; readonly id: number; readonly step: JournalStep }
  | { readonly kind: 'doors'; readonly id: number; readonly admits: readonly Admission[] }

type Place = { readonly play: string; readonly host: string }

/** What became of one step that is not simply as wanted. */
export interface StepLine extends Place {
  readonly kind: 'step'
  readonly step: number
  readonly outcome: 'planned' | 'changed' | 'failed'
  readonly sure?: boolean
  readonly difference?: JournalDiff
  /** Unified diffs, when the run was asked for them. */
  readonly diffs?: readonly string[]
  readonly problem?: JournalProblem
}

type Rewritten = 'step' | 'applying' | 'progress' | 'surveyed'

/** Events as they are, but for those that name steps. */
type AsItIs = {
  readonly [K in Exclude<RunEvent['kind'], Rewritten>]: {
    readonly [P in keyof EventOf<K>]: P extends 'problem' ? JournalProblem : EventOf<K>[P]
  }
}[Exclude<RunEvent['kind'], Rewritten>]

export type JournalEvent =
  | AsItIs
  | StepLine
  | ({ readonly kind: 'applying'; readonly steps: readonly number[] } & Place)
  | (Omit<EventOf<'surveyed'>, 'admits'> & { readonly admits?: number })
  /** Steps that are as wanted, one after another. */
  | ({ readonly kind: 'as wanted'; readonly steps: readonly number[] } & Place)

/** A line after the first; `t` is in milliseconds since the beginning. */
export type JournalLine = { readonly t: number } & (Definition | JournalEvent)

/** The lines of a journal. The last one is left out where a crash has cut it off. @throws SyntaxError for what is no journal */
export function parseJournal(text: string): {
  readonly about: JournalHeader
  readonly lines: readonly JournalLine[]
} {
  const [first = '', ...rest] = text.split('\n')
  const about = JSON.parse(first)
  if (about?.provision !== 1) throw new SyntaxError('not a journal of this version')
  // Whatever follows the last line's end is no whole line.
  return { about, lines: rest.slice(0, -1).map((line) => JSON.parse(line)) }
}
