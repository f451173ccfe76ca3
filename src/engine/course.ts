import type { RunEvent } from '../model/event.ts'
import type { Host } from '../model/host.ts'
import type { Play } from '../model/play.ts'
import type { Steps } from '../model/steps.ts'
import type { Fleet } from './fleet.ts'
import type { Member } from './member.ts'
import type { Selection } from './selection.ts'
import type { Survey } from './survey.ts'
import type { Confirm } from './turn.ts'

/** A play with what it asks of each of its hosts. */
export interface Act {
  readonly play: Play
  readonly hosts: readonly Host[]
  readonly steps: ReadonlyMap<string, Steps>
}

/** What the survey has found: what each play would do on each host. */
export type Surveys = ReadonlyMap<string, readonly Survey[]>

/** What plays and hosts share in a run. */
export interface Course {
  readonly fleet: Fleet
  readonly members: ReadonlyMap<string, Member>
  readonly surveys: Surveys
  readonly emit: (event: RunEvent) => void
  readonly diff: boolean
  readonly stop: AbortSignal
  readonly selection: Selection
  readonly confirm?: Confirm
  /** Why nothing else is begun on any host; set by a failure in a play with `anyErrorsFatal`. */
  halted: string | undefined
}
