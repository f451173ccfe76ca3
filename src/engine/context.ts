import type { RunEvent, StepInfo } from '../model/event.ts'
import type { Steps } from '../model/playbook/steps.ts'
import type { Diff } from '../model/resource/diff.ts'
import type { Throttles } from './apply/throttles.ts'
import type { HostRun } from './hosts/host-run.ts'
import type { Hosts } from './hosts/hosts.ts'
import type { TurnReview, TurnReviewer } from './policy/turn.ts'
import type { PlayStates } from './read/refresh.ts'
import type { Selection } from './read/selection.ts'
import type { SharedReads } from './read/shared-reads.ts'
import type { StepState } from './read/step-state.ts'
import type { HostDrain } from './rollout/drain.ts'

/** Asks the user whether a step is applied on a host. */
export type Confirm = (host: string, step: StepInfo, difference: Diff) => Promise<boolean>

/** The state that the plays of a run share. */
export interface RunContext {
  readonly hosts: Hosts
  /** The hosts of the run that are connected, by name. */
  readonly hostRuns: ReadonlyMap<string, HostRun>
  readonly states: PlayStates
  readonly emit: (event: RunEvent) => void
  /** True to read texts that change, for diffs. */
  readonly diff: boolean
  readonly stop: AbortSignal
  readonly selection: Selection
  readonly shared: SharedReads
  /** Checks changes against the policies of the inventory. */
  readonly guard: TurnReviewer
  /** Asked before each step that would change something. @default no confirmation */
  readonly confirm?: Confirm
  readonly throttles: Throttles
  /** The reason why no host starts another step; set by a failure in a play with `anyErrorsFatal`. */
  halted: string | undefined
}

/** The turn of a host in a play. */
export interface HostTurn extends Pick<RunContext, 'emit' | 'diff' | 'stop' | 'confirm' | 'throttles'> {
  readonly play: string
  readonly hostRun: HostRun
  readonly drain: HostDrain | undefined
  /** Checks the changes of the turn against policies. */
  readonly review: TurnReview
  /** Reads steps that an earlier step of the turn has made. */
  readonly readMore: (steps: Steps) => Promise<readonly StepState[]>
}
