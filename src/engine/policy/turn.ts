import type { Host } from '../../model/inventory/host.ts'
import type { Play } from '../../model/playbook/play.ts'
import type { ExpandedStep } from '../../model/playbook/steps.ts'
import type { Change } from '../../model/policy/policy.ts'
import type { Diff } from '../../model/resource/diff.ts'
import type { PlannedStep } from '../plan/planned-changes.ts'

/** A change as policies see it, with its step. */
export interface FoundChange {
  readonly change: Change
  /** The step, or the step that notifies the handler. */
  readonly expanded: ExpandedStep
  /** Undefined for a handler. */
  readonly difference: Diff | undefined
  /** Its title in messages. */
  readonly title: string
}

/** The steps of a host in a play, with their differences. */
export interface TurnSteps {
  readonly host: Host
  /** Plays of the same label are different plays. */
  readonly play: Pick<Play, 'label'>
  readonly steps: readonly (Pick<PlannedStep, 'expanded' | 'difference'> & Partial<Pick<PlannedStep, 'known'>>)[]
  readonly pendingHandlers: ReadonlySet<string>
}

/** Checks the changes of a turn. @param done true for changes that were made @throws Problem for a change that is not allowed */
export type TurnReview = (steps: TurnSteps['steps'], done: (found: FoundChange) => boolean) => void

/** Creates the checks of turns. */
export interface TurnReviewer {
  readonly turn: (turn: Omit<TurnSteps, 'steps'>) => TurnReview
}
