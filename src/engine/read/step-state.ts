import type { ExpandedStep } from '../../model/playbook/expand.ts'
import type { Problem } from '../../model/problem.ts'
import type { Diff } from '../../model/resource/diff.ts'

/** A step and its current state on a host. */
export interface StepState {
  readonly expanded: ExpandedStep
  readonly have: unknown
  /** Undefined if the step needs no change. */
  readonly difference: Diff | undefined
  /** The reason why the step cannot be applied in the current state; an earlier step may solve it. */
  readonly problem?: Problem
}
